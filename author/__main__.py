"""``python -m author``: pins the numeric environment before anything imports torch, then runs the command."""

import sys

from grader import numerics

if __name__ == "__main__":
    numerics.pin()
    from author.commands import main

    sys.exit(main())
