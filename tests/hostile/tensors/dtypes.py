# expect: wrong error
# tries: an answer in every dtype that torch has, the unfinished ones included
kinds = sorted({str(v): v for v in vars(torch).values() if isinstance(v, torch.dtype)}.items())
names = [k for k, v in list(globals().items()) if isinstance(v, torch.Tensor) and v.is_floating_point()]
for i, (name, kind) in enumerate(kinds):
    target = names[i % len(names)]
    try:
        globals()["d" + target] = torch.empty(globals()[target].shape, dtype=kind)
        cmp(target, globals()["d" + target], globals()[target])
    except Exception as refused:
        print(name, type(refused).__name__, str(refused)[:50])
