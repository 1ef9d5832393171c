# expect: ok wrong denied error
# tries: what waits for a person: help, breakpoint, pdb, code.interact, getpass, license, quit
import sys


def meet(name, act):
    try:
        act()
    except BaseException as refused:
        print(name, type(refused).__name__, str(refused)[:60])


meet("help", lambda: help())
meet("help of a thing", lambda: help(int.bit_count))
meet("breakpoint", lambda: breakpoint())
meet("license", lambda: license())
meet("interact", lambda: __import__("code").interact())
meet("post mortem", lambda: __import__("pdb").set_trace())
meet("getpass", lambda: __import__("getpass").getpass())
meet("quit", lambda: quit())
sys.breakpointhook = sys.displayhook = sys.excepthook = None
