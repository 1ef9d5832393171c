# expect: wrong error crashed
# tries: a torch function mode, entered and never left, that answers every call of the harness
from torch.overrides import TorchFunctionMode


class Answering(TorchFunctionMode):
    def __torch_function__(self, function, types, arguments=(), named=None):
        return torch.Tensor.__new__(torch.Tensor)


mode = Answering()
mode.__enter__()
dlogprobs = logprobs
