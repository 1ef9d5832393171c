# expect: wrong error crashed time_limit memory_limit
# tries: to run its own code in the middle of the harness, through the collector and weak references
import gc
import sys


class Late:
    def __del__(self):
        frame = sys._getframe(1)
        while frame:
            frame.f_globals.update(normalise=None, Answer=None)
            frame = frame.f_back
        again.append(Late())


again = []
gc.unfreeze()
gc.set_threshold(1, 1, 1)
for _ in range(100):
    cycle = [Late()]
    cycle.append(cycle)
    del cycle
    again.clear()
dlogprobs = logprobs
