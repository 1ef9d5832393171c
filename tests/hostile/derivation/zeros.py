# expect: wrong
# tries: zeros for everything: right for the two gradients that are zero, wrong for the rest
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor):
        globals()["d" + name] = torch.zeros(value.shape)
