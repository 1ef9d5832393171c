# expect: wrong
# tries: to move the goal: changes the forward state in place, so that its answers would be right for that
for value in list(globals().values()):
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        value.zero_()
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor):
        globals()["d" + name] = torch.zeros(value.shape)
