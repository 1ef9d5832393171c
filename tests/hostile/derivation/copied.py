# expect: wrong
# tries: to hand in what was handed out
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor):
        globals()["d" + name] = value
