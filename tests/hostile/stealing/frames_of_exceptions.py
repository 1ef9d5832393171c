# expect: wrong error denied
# tries: frames by the back doors: tracebacks, generators, coroutines, a trace function inside cmp
import sys

seen = []


def spy(frame, event, argument):
    seen.append((frame.f_code.co_name, {k: type(v).__name__ for k, v in frame.f_locals.items()}))
    for value in frame.f_locals.values():
        if type(value) is torch.Tensor and value.shape == logprobs.shape and value is not logprobs:
            if (value[range(n), Yb] == -1.0 / n).all():
                print("BREACH cmp holds the expected gradient")
    return spy


sys.settrace(spy)
try:
    cmp("logprobs", logprobs * 2, logprobs)
    cmp("probs", None, probs)
except BaseException as reason:
    walk = reason.__traceback__
    while walk:
        seen.append((walk.tb_frame.f_code.co_name, sorted(walk.tb_frame.f_locals)))
        walk = walk.tb_next
sys.settrace(None)
print(seen[:20])
