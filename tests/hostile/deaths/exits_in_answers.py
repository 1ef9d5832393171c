# expect: wrong error crashed
# tries: to leave from within the harness's own steps: a property, a length, a comparison, a finaliser, a codec
import os
import sys


class Leaver(dict):
    def __contains__(self, key):
        sys.exit(0)

    __getitem__ = __iter__ = keys = __len__ = __contains__


def backward(state):
    return Leaver(dlogprobs=state["logprobs"])
