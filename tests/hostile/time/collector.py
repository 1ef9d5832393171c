# expect: wrong time_limit
# tries: to hang in a callback of the garbage collector, in the middle of whatever the harness does next
import gc


def hang(phase, info):
    while armed:
        pass


armed = False
gc.callbacks.append(hang)
gc.unfreeze()
gc.set_threshold(1)
armed = True
dlogprobs = logprobs
