#!/usr/bin/env bash
# Prints the first of these that is Python 3.10 or newer with venv; exit code 2 where none is.
#
#   base=$(bash tests/find_python.sh python3.12 python3.11 python3)
for name in "$@"; do
  if command -v "$name" >/dev/null 2>&1 &&
    "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "$name"
    exit 0
  fi
done
echo "error: none of $* is Python 3.10 or newer with venv (Debian: apt-get install python3-venv)" >&2
exit 2
