"""Start a zygote.

… --stdin                                       for one Sandbox, over the socket it made (see zygote_command.py)
python -m grader.sandbox.zygote --listen PATH   for many, from a container without a network
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from grader.sandbox import zygote_command


def main() -> None:
    """Run a zygote. A zygote that a shell started replaces itself, and leaves the shell's environment behind."""
    parser = argparse.ArgumentParser(prog="python -m grader.sandbox.zygote", description="Fork children that run code.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stdin", action="store_true", help="serve one Sandbox over the socket that standard input is")
    where.add_argument("--listen", type=Path, metavar="PATH", help="serve all that connect to this unix socket")
    parser.add_argument("--without", default="", help=argparse.SUPPRESS)  # tests of the doctor leave a layer off
    options = parser.parse_args()
    if sys.argv[0] != "-c":
        os.execve(sys.executable, zygote_command.command(*sys.argv[1:]), zygote_command.ENVIRONMENT)
    from grader.sandbox.zygote import pages, warm_up  # imports torch, which reads its environment once

    pages.keep_freed_memory()
    warm_up.warm_up()
    pages.fill_holes()
    from grader.sandbox.zygote import zygote  # last, so that the objects of what every child runs lie together

    without = frozenset(filter(None, options.without.split(",")))
    control = socket.socket(fileno=0) if options.stdin else None
    try:
        prepared = zygote.prepare(without)
    except zygote.Unfit as reason:
        if control is not None:
            zygote.refuse(control, str(reason))
        sys.exit(f"zygote: {reason}")
    if control is not None:
        zygote.greet_and_serve(prepared, control)
    else:
        zygote.listen(prepared, options.listen)


if __name__ == "__main__":
    main()
