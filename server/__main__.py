"""``python -m server``: pins the numeric environment before anything imports torch, then runs the command."""

import sys

from grader import numerics

if __name__ == "__main__":
    numerics.pin()
    from server.cli import main

    sys.exit(main())
