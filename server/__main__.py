"""``python -m server``: the numeric environment first, before anything brings in torch, then the command."""

import sys

from grader import numerics

if __name__ == "__main__":
    numerics.pin()
    from server.cli import main

    sys.exit(main())
