# expect: wrong error
# tries: nested, jagged and masked tensors
dlogprobs = torch.nested.nested_tensor([torch.zeros(3), torch.zeros(5)])
try:
    dprobs = torch.nested.nested_tensor([torch.zeros(3), torch.zeros(5)], layout=torch.jagged)
except ImportError:
    parts = [torch.tensor(each) for each in ([[3], [5]], [[1], [1]], [0, 3])]
    dprobs = torch._nested_view_from_buffer(torch.zeros(8), *parts)
dcounts = torch.masked.masked_tensor(counts.clone(), counts > 0)
dlogits = torch.nested.as_nested_tensor(list(logits))
for name in ("logprobs", "probs", "counts", "logits"):
    cmp(name, globals()["d" + name], globals()[name])
