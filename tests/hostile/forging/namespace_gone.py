# expect: wrong error
# tries: to take away the namespace that the harness reads the answers from
import sys

dlogprobs = logprobs
globals()["__name__"] = "__mp_main__"
globals()["__builtins__"] = {}
for name in [*globals()]:
    if name != "sys":
        del globals()[name]
sys.modules.clear()
globals().update({name: name for name in map(str, range(100_000))})
globals()[5] = globals()[None] = globals()[("dlogits",)] = 6
