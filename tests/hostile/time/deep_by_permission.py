# expect: crashed error memory_limit time_limit
# tries: C recursion to the end of the stack, with the limit of recursion raised to a million
import sys

sys.setrecursionlimit(10**6)


class Deep:
    def __repr__(self):
        return repr([self])

    def __eq__(self, other):
        return [self] == [other]

    __hash__ = None


try:
    Deep() == Deep()
except RecursionError:
    print("refused")
repr(Deep())
