# expect: wrong error time_limit crashed
# tries: a dispatch mode, entered and never left, below all methods: every kernel raises SystemExit or hangs
from torch.utils._python_dispatch import TorchDispatchMode


class Raising(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        raise SystemExit(0)


mode = Raising()
mode.__enter__()
dlogprobs = logprobs
try:
    dprobs = probs.T
except ImportError as refused:
    print(refused)
