# expect: wrong
# tries: the smallest answers that broadcast to every shape
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor):
        globals()["d" + name] = torch.zeros(1)
