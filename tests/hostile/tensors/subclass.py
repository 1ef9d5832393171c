# expect: wrong error time_limit
# tries: a tensor subclass whose __torch_function__ answers for it, or hangs
class Agreeing(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, arguments=(), named=None):
        if "detach" in str(function):
            while True:
                pass
        return torch.tensor(True)

    shape = property(lambda self: (32, 27))
    dtype = property(lambda self: torch.float32)
    __class__ = torch.Tensor


dlogprobs = torch.zeros(3).as_subclass(Agreeing)
dprobs = torch.Tensor._make_subclass(Agreeing, torch.zeros(10**6))
cmp("h", dlogprobs, h)
