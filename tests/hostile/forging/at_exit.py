# expect: wrong crashed error
# tries: to answer after the harness has read the answers, from an atexit handler and a finaliser
import atexit
import os


def late():
    globals()["dlogprobs"] = torch.zeros_like(logprobs)
    globals()["dlogprobs"][range(n), Yb] = -1.0 / n
    cmp("logprobs", globals()["dlogprobs"], logprobs)
    os._exit(0)


atexit.register(late)
