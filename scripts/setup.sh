#!/usr/bin/env bash
# Check that everything the scripts need is here; --install sets it up. See --help.
#
# This only finds a Python for _setup.py, which checks, installs and reports. It works in bash 3.2
# (macOS), and where there is no Python it explains how to get one.
set -u
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
versions="python3.14 python3.13 python3.12 python3.11 python3.10"

hand_over() { # Python, condition, options: if the condition holds there, that Python takes over
  local python=$1 condition=$2
  shift 2
  # A pyenv shim may lead nowhere, Debian's Python may lack ensurepip, and modules in the working
  # directory (path 0) must not be imported.
  if "$python" -c "import sys; sys.path.pop(0); $condition" >/dev/null 2>&1 </dev/null; then
    # Old Pythons in the C locale cannot print every path otherwise.
    PYTHONIOENCODING=utf-8:backslashreplace exec "$python" -B "$here/_setup.py" "$@"
  fi
}

case " $* " in
*" --install "*)
  can_make_venv="import venv, ensurepip; sys.exit(sys.version_info < (3, 10))"
  for python in $versions python3 "$here/../.venv/bin/python"; do
    hand_over "$python" "$can_make_venv" "$@"
  done
  if command -v uv >/dev/null; then
    echo "No Python here can make a .venv; using Python 3.12 from uv" >&2
    uv python install -q 3.12 </dev/null >&2
    python=$(uv python find --system --no-project 3.12 2>/dev/null </dev/null)
    hand_over "$python" "$can_make_venv" "$@"
  fi
  ;;
esac
for python in python3 "$here/../.venv/bin/python" $versions; do
  hand_over "$python" "sys.exit(sys.version_info < (3, 6))" "$@"
done

message="No Python was found on PATH."
hint="Install Python 3.10 or newer (Debian, Ubuntu: sudo apt-get install python3-venv; \
macOS: brew install python@3.12) or uv (https://docs.astral.sh/uv/), then run setup.sh --install."
case " $* " in
*" --json "*)
  printf '{"status": "failed", "ready": false, "python": null, "checks": [], "next": null, '
  printf '"error": {"kind": "install", "message": "%s", "hint": "%s"}}\n' "$message" "$hint"
  ;;
esac
printf 'error: %s\n%s\n' "$message" "$hint" >&2
exit 1
