# expect: wrong error time_limit
# tries: a wrapper subclass: a shape, a dtype and no memory, whose __torch_dispatch__ decides what is read
class Wrapper(torch.Tensor):
    @staticmethod
    def __new__(cls, *shape):
        return torch.Tensor._make_wrapper_subclass(cls, shape, dtype=torch.float32)

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), named=None):
        return Wrapper(10**6, 10**6)


dlogprobs, dprobs = Wrapper(32, 27), Wrapper(10**9, 10**9)
cmp("logprobs", dlogprobs, logprobs)
cmp("h", Wrapper(32, 64), h)
