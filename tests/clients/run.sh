#!/usr/bin/env bash
# The vendors' own clients as judges: what they send is compared with what we send, and the servers
# of our tests must satisfy them.
#
#   bash tests/clients/run.sh    what follows goes to pytest
#
# Makes its own folder, tests/clients/.made, on the first run: a virtual environment with the Python
# clients, and node_modules with Vercel's. Without Node that client's part is left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=tests/clients
made=$here/.made
python=$made/venv/bin/python

base=$(bash tests/find_python.sh python3.14 python3.13 python3.12 python3.11 python3.10 python3)

wanted="$("$base" -V) $(cat pyproject.toml $here/run.sh | cksum)"
if [ ! -x "$python" ] || [ "$(cat "$made/venv/.complete" 2>/dev/null)" != "$wanted" ]; then
  echo "making $made/venv"
  rm -rf "$made/venv"
  mkdir -p "$made"
  "$base" -m venv "$made/venv"
  "$python" - >"$made/venv/requirements.txt" <<'PYTHON'
try:
    import tomllib
except ImportError:  # Python 3.10
    from pip._vendor import tomli as tomllib
with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
extras = project["optional-dependencies"]
tests = [name for name in extras["test"] if name.startswith(("pytest>", "coverage>"))]
print("\n".join(project["dependencies"] + extras["media"] + tests + extras["clients"]))
PYTHON
  "$python" -m pip install --quiet --disable-pip-version-check -r "$made/venv/requirements.txt"
  echo "$wanted" >"$made/venv/.complete"
fi

if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; then
  wanted="$(node -v) $(cksum <"$here/package-lock.json")"
  if [ "$(cat "$made/node.complete" 2>/dev/null)" != "$wanted" ]; then
    echo "making $made/node_modules"
    cp "$here/package.json" "$here/package-lock.json" "$made/"
    npm ci --prefix "$made" --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$wanted" >"$made/node.complete"
  fi
else
  echo "Node is not here: Vercel's own client is left out."
fi

exec "$python" -m pytest -ra "$here" "$@"
