# expect: wrong output_limit
# tries: answers that fit every shape by broadcasting, to just below a million elements: who pays is the judge
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor):
        copies = max(1, min(8000, 900_000 // value.numel()))
        globals()["d" + name] = torch.randn([copies] + [1] * value.dim()).half()
