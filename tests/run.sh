#!/usr/bin/env bash
# The whole check with one command: lint, types, tests with coverage, the skill validators.
#
#   bash tests/run.sh            what every change must pass: all tests but the `slow` ones
#   bash tests/run.sh --quick    without those marked `thorough` and without coverage: on every save
#   bash tests/run.sh --dialects the rest of the table of faults at all four gateways, and 12 rounds
#                                of the crash test at each; without coverage. CI runs it too
#   bash tests/run.sh --slow     everything, with 100 rounds of the crash tests
#   bash tests/run.sh [--quick] tests/stages/test_plan.py -k ratio    what follows goes to pytest
#
# Makes its own virtual environment, .venv-tests, on the first run. Python only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where it is set, hundreds of processes would compile the same modules again.
unset PYTHONDONTWRITEBYTECODE

quick=no
if [ "${1:-}" = "--quick" ]; then
  quick=yes
  shift
fi

# The newest Python that the project supports.
base=$(bash tests/find_python.sh python3.14 python3.13 python3.12 python3.11 python3.10 python3)

venv=.venv-tests
python=$venv/bin/python
# Made anew when the list of packages or the Python changes.
wanted="$("$base" -V) $(cksum <pyproject.toml)"
if [ ! -x "$python" ] || [ "$(cat "$venv/.complete" 2>/dev/null)" != "$wanted" ]; then
  echo "making $venv"
  rm -rf "$venv"
  "$base" -m venv "$venv"
  "$python" - >"$venv/requirements.txt" <<'PYTHON'
try:
    import tomllib
except ImportError:  # Python 3.10
    from pip._vendor import tomli as tomllib
with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
extras = project["optional-dependencies"]
print("\n".join(project["dependencies"] + extras["media"] + extras["test"]))
PYTHON
  "$python" -m pip install --quiet --disable-pip-version-check -r "$venv/requirements.txt"
  echo "$wanted" >"$venv/.complete"
fi

slow=()
if [ "${1:-}" = "--slow" ]; then
  slow=(--slow)
  export CRASH_ROUNDS="${CRASH_ROUNDS:-100}"
  shift
fi

if [ "${1:-}" = "--dialects" ]; then
  export CRASH_ROUNDS="${CRASH_ROUNDS:-12}"
  # Four, for much of each test is waiting; some take a minute, so who is idle takes over.
  exec "$python" -m pytest -n 4 --dist worksteal --dialects tests/pipeline/test_crash.py tests/stages/test_faults.py
fi

if [ "$quick" = yes ]; then
  exec "$python" -m pytest -n 3 -m "quick or not thorough" "$@" # three: much of it is waiting
fi

"$venv/bin/ruff" check .
"$venv/bin/ruff" format --check .
"$venv/bin/mypy"
rm -f .coverage .coverage.*
"$venv/bin/coverage" run -m pytest -n 3 ${slow[@]+"${slow[@]}"} "$@"
# A process that a test kills leaves half a data file: those are passed over.
"$venv/bin/coverage" combine --quiet 2>/dev/null || true
if [ $# -eq 0 ]; then
  "$venv/bin/coverage" report --fail-under=90
fi
