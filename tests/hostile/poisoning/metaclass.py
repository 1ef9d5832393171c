# expect: wrong crashed
# tries: metaclasses: names, instances, subclasses and call all of their own making
class Meta(type):
    __name__ = property(lambda cls: 1 / 0)
    __module__ = property(lambda cls: 1 / 0)

    def __instancecheck__(cls, instance):
        return True

    __subclasscheck__ = __instancecheck__

    def __getattribute__(cls, name):
        raise SystemExit(0)

    def mro(cls):
        return [cls, torch.Tensor, torch._C.TensorBase, object]

    def __class_getitem__(cls, item):
        return torch.Tensor


class Liar(torch.Tensor, metaclass=type("Both", (Meta, type(torch.Tensor)), {})):
    shape = property(lambda self: (32, 27))
    dtype = property(lambda self: torch.float32)


dlogprobs = torch.Tensor._make_subclass.__call__(Liar, torch.zeros(3))
dprobs = type.__call__(Meta, "\x1b[2J" * 1000, (), {})
cmp("logprobs", dlogprobs, logprobs)
