#!/usr/bin/env bash
# The tool at the real API servers of vLLM-Omni, SGLang, FastVideo and LiteLLM, on the CPU: only the
# engines behind them are stand-ins. By hand or nightly: installing takes minutes and 17 GB.
#
#   bash tests/engines/run.sh    what follows goes to pytest
#
# Makes its own folder, tests/engines/.made (or $ENGINES_MADE), on the first run: a virtual
# environment for each of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=tests/engines
export ENGINES_MADE=${ENGINES_MADE:-$PWD/$here/.made}

base=$(bash tests/find_python.sh python3.12 python3.11 python3.10 python3)

for engine in litellm sglang vllm-omni; do
  venv=$ENGINES_MADE/$engine
  wanted="$("$base" -V) $(cksum <$here/install.py)"
  if [ ! -x "$venv/bin/python" ] || [ "$(cat "$venv/.complete" 2>/dev/null)" != "$wanted" ]; then
    echo "making $venv"
    rm -rf "$venv"
    mkdir -p "$ENGINES_MADE"
    "$base" -m venv "$venv"
    "$base" $here/install.py "$engine" "$venv"  # pip names what is left out on purpose
    echo "$wanted" >"$venv/.complete"
  fi
done

if [ ! -x .venv-tests/bin/python ]; then
  echo "error: there is no .venv-tests yet: run bash tests/run.sh --quick once" >&2
  exit 2
fi
exec .venv-tests/bin/python -m pytest -ra "$here" "$@"
