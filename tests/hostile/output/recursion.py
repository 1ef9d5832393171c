# expect: error memory_limit time_limit
# tries: a traceback of a hundred thousand frames
import sys

sys.setrecursionlimit(100_000)


def down(i):
    return down(i + 1)


down(0)
