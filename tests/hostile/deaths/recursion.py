# expect: crashed error memory_limit
# tries: to run over the end of the C stack
import sys

sys.setrecursionlimit(1 << 30)


class Deep:
    def __repr__(self):
        return repr(self)


repr(Deep())
