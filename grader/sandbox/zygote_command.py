"""How a zygote is started: as a program of its own, that inherits nothing from the process that starts it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from grader.numerics import PINNED

# The whole environment: the pinned numerics, and one order for every set of strings in every run.
ENVIRONMENT: Final = {**PINNED, "PYTHONHASHSEED": "0"}

_PACKAGES: Final = Path(__file__).resolve().parents[2]
# -s, -P and -B with that environment are isolated mode: no user's packages, no current folder, no files written.
# Not -I itself, which also ignores PYTHONHASHSEED.
_ISOLATED: Final = ("-s", "-P", "-B")
# Our packages come last on the path, so that none of our files hides one of Python's.
_PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv.pop(1)); from grader.sandbox.zygote.__main__ import main; main()"
)


def command(*options: str) -> list[str]:
    """Return the command line of a zygote with these options."""
    return [sys.executable, *_ISOLATED, "-c", _PROGRAM, os.fspath(_PACKAGES), *options]
