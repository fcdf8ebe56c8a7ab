#!/usr/bin/env bash
# A recipe for several machines, really run: Ray on this machine, killed in the middle.
#
#   bash tests/scaling/run.sh    what follows goes to pytest
#
# Makes its own virtual environment, tests/scaling/.venv, on the first run (about 400 MB).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=tests/scaling
venv=$here/.venv

# Those that Ray has packages for.
base=$(bash tests/find_python.sh python3.13 python3.12 python3.11 python3.10 python3)
wanted="$("$base" -V) $(cksum <$here/requirements.txt)"
if [ "$(cat "$venv/.complete" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$venv"
  "$base" -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check -r $here/requirements.txt
  echo "$wanted" >"$venv/.complete"
fi
if [ ! -x .venv-tests/bin/python ]; then
  echo "error: there is no .venv-tests yet: run bash tests/run.sh --quick once" >&2
  exit 2
fi
export RAY_PYTHON=$PWD/$venv/bin/python
exec .venv-tests/bin/python -m pytest -ra "$here" "$@"
