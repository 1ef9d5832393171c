# expect: wrong
# tries: tensors with no elements, for which "all equal" is true and the largest difference does not exist
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor):
        globals()["d" + name] = torch.empty(0)
dlogprobs = torch.empty(32, 0)
dprobs = torch.empty(0, 27)
dcounts = torch.empty(1, 0, 2**62)
dlogits = torch.empty([])
