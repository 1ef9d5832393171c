# expect: wrong error crashed
# tries: a plain tensor whose class is changed after the fact, and a class that is changed under a tensor
class Other(torch.Tensor):
    contiguous = detach = lambda self: 1 / 0

    def __reduce_ex__(self, how):
        return print, ("unpickled",)


dlogprobs = torch.zeros(32, 27)
dlogprobs.__class__ = Other
dprobs = torch.nn.Parameter(torch.zeros(32, 27))
dprobs.__class__ = Other
dlogits = torch.zeros(32, 27)
dlogits.data = torch.zeros(5, dtype=torch.float64)
cmp("logprobs", dlogprobs, logprobs)
