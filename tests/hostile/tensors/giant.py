# expect: wrong output_limit
# tries: answers that are too large together, each a little larger than its place
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor):
        globals()["d" + name] = torch.ones(1 << 18)
