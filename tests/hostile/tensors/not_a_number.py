# expect: wrong
# tries: NaN everywhere, which is neither larger nor smaller than any tolerance
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor):
        globals()["d" + name] = torch.full(value.shape, float("nan"))
