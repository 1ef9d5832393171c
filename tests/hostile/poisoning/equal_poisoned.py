# expect: wrong
# tries: the functions held for the comparison at the end: Tensor.view, equal, and the flags they look at
torch.equal = torch.Tensor.equal = lambda *a: True
torch.Tensor.view = torch.Tensor.reshape = lambda self, *a: 1 / 0
torch.Tensor.__eq__ = torch.Tensor.__ne__ = lambda *a: torch.tensor(True)
torch.allclose = torch.isclose = lambda *a, **k: True
dlogprobs = torch.zeros(32, 27)
cmp("logprobs", dlogprobs, logprobs)
dlogprobs = torch.ones(32, 27)
