"""--open: a file opened by the program that the system has for its kind."""

from __future__ import annotations

import os
import shutil
import subprocess

_OPENERS = ("open", "xdg-open", "wslview")  # of macOS, of Linux desktops, of Windows below Linux


def opened(path: str) -> bool:
    """Whether there was a program to open it; what that shows is not waited for."""
    if not os.path.isfile(path):
        return False
    for name in _OPENERS:
        if found := shutil.which(name):
            try:
                subprocess.Popen(
                    [found, path],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError:
                continue
            return True
    return False
