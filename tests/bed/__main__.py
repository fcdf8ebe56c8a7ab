"""`python tests/bed`, or `python -m bed` in tests/."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    tests = Path(__file__).resolve().parent.parent
    sys.path[:0] = [str(tests), str(tests.parent / "scripts")]
    from bed.table import main

    sys.exit(main())
