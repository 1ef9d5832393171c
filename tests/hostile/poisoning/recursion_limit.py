# expect: wrong error
# tries: to leave the harness no stack: it ends at the bottom of its own recursion
import sys


def deep(i):
    if i:
        return deep(i - 1)
    sys.setrecursionlimit(i + sys_depth() + 1)


def sys_depth():
    frame, depth = sys._getframe(), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    return depth


sys.setrecursionlimit(sys_depth() + 8)
dlogprobs = logprobs
