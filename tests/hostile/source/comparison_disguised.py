# expect: wrong error
# tries: definitions that look like a comparison of its own, so that ours is put where something else stood
import functools


@functools.lru_cache
@(lambda function: print("decorated") or function)
def logprobs(first, second=print("defaults run"), *, third: "x" = 1):
    return first.grad


exec = lambda code, space: space.grad if False else 1
torch = lambda a, b: a.grad
async def probs(a, b):
    return a.grad
class counts:
    def __call__(self, a, b):
        return a.grad
cmp = print = lambda name, value, tensor: tensor.grad
__cmp__ = lambda *a: (_ for _ in ()).throw(SystemExit(0))
__builtins__ = None
dlogits = logprobs("logits", logits, logits)
