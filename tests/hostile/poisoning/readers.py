# expect: wrong error
# tries: to patch what the harness reads a tensor with: contiguous, detach, shape, data_ptr, numpy, storage
def other(self, *arguments, **named):
    return torch.zeros(10**6)


for name in (
    "contiguous", "detach", "clone", "cpu", "to", "numpy", "storage", "untyped_storage", "data_ptr", "tolist",
    "numel", "element_size", "stride", "size", "dim", "is_contiguous", "view", "reshape", "copy_",
):
    try:
        setattr(torch.Tensor, name, other)
    except (AttributeError, TypeError) as refused:
        print(refused)
for name in ("shape", "dtype", "layout", "device", "is_sparse", "requires_grad", "nbytes", "ndim"):
    setattr(torch.Tensor, name, property(lambda self: 10**12))
dlogprobs = logprobs
