"""Finds a Python that has the packages, before anything else is imported.

Syntax of Python 3.6 and the standard library only: this runs under whatever `python3` is. If that
Python is older than 3.10 or lacks a package, the script is started again in the skill's own `.venv`
(made by `setup.sh --install`); without one, the error shows the command that makes it. `--help`
needs no package, so it is never started again.
"""

import importlib.util
import json
import os
import sys

NEEDED = ("requests", "dotenv")
MEDIA = ("PIL", "av")
OLDEST = (3, 10)
# The command line's own modules run on this, so that --help works without any set-up.
OLDEST_FOR_HELP = (3, 7)
_GUARD = "FACTORIZED_VIDEO_BOOTSTRAPPED"  # set before starting again: never twice


def ensure(script: str) -> None:
    """Return if this Python will do; else start again in the skill's `.venv`, or exit 2."""
    scripts = os.path.dirname(os.path.abspath(script))
    words = sys.argv[1:]
    wants_help = bool({"-h", "--help", "--help-all"} & set(words))
    if wants_help and sys.version_info >= OLDEST_FOR_HELP:
        return
    if suffices():
        return
    new_enough = is_recent()
    ours = os.path.join(os.path.dirname(scripts), ".venv", "bin", "python")
    failed = ""
    if os.path.exists(ours) and os.environ.get(_GUARD) != ours:
        os.environ[_GUARD] = ours
        sys.stdout.flush()
        try:
            os.execv(ours, [ours] + sys.argv)
        except OSError as error:
            failed = "{} cannot be started ({}). ".format(ours, error.strerror)
    if new_enough and not _missing(NEEDED):
        return  # real gateways work without the media extra; what needs it says so itself
    if new_enough:
        names = {"dotenv": "python-dotenv"}
        wrong = "This Python lacks " + ", ".join(names.get(m, m) for m in _missing(NEEDED)) + "."
    else:
        wrong = "Python {}.{} or newer is needed; this is {}.{}.".format(
            OLDEST[0], OLDEST[1], sys.version_info[0], sys.version_info[1]
        )
    setup = os.path.join(os.path.dirname(script) or ".", "setup.sh")
    _stop(failed + wrong, "Run: bash {} --install".format(_quoted(setup)), "--json" in words)


def is_recent() -> bool:
    """Whether this Python is new enough for the scripts."""
    return sys.version_info >= OLDEST


def suffices() -> bool:
    """Whether this Python is new enough and has all packages, so that the scripts stay with it."""
    return is_recent() and not _missing(NEEDED + MEDIA)


def _missing(modules: "tuple[str, ...]") -> "list[str]":
    return [name for name in modules if importlib.util.find_spec(name) is None]


def _quoted(path: str) -> str:
    return (
        path
        if path.replace("/", "").replace("-", "").replace(".", "").replace("_", "").isalnum()
        else "'" + path.replace("'", "'\\''") + "'"
    )


def _stop(message: str, hint: str, as_json: bool) -> None:
    if as_json:
        error = {"kind": "usage", "message": message, "hint": hint}
        print(json.dumps({"status": "failed", "error": error}))
    sys.stderr.write("error: {}\n{}\n".format(message, hint))
    sys.exit(2)
