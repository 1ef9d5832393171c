# expect: ok error
# tries: exit(), quit() and sys.exit() with objects whose text raises
import sys


class Code(int):
    def __str__(self):
        raise KeyboardInterrupt

    __repr__ = __int__ = __index__ = __str__


try:
    exit()
except SystemExit:
    pass
sys.exit(Code(0))
