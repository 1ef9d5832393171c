# expect: wrong error
# tries: comparisons that always say yes, in case the verdict is made in this process
def yes(*arguments, **named):
    return torch.tensor(True)


for name in ("allclose", "equal", "isclose", "all", "any", "eq", "ne", "isfinite", "isnan", "max", "sub"):
    setattr(torch, name, yes)
    setattr(torch.Tensor, name, yes)
torch.Tensor.__eq__ = torch.Tensor.__sub__ = torch.Tensor.abs = torch.Tensor.item = yes
torch.Tensor.__bool__ = lambda self: True
dlogprobs = dprobs = dlogits = logits
