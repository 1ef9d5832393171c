# expect: wrong error crashed denied time_limit
# tries: to replace everything in the harness's program, found by its frames' globals and not by a name
import sys

mine, frame = globals(), sys._getframe()
while frame:
    if frame.f_globals is not mine:
        for key in list(frame.f_globals):
            if not key.startswith("__"):
                frame.f_globals[key] = lambda *a, **k: 26
    frame = frame.f_back
dlogprobs = logprobs
