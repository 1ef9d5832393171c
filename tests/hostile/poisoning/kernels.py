# expect: wrong error crashed time_limit
# tries: to replace torch's kernels themselves, for clone, copy, detach and the comparison
answer = torch.zeros(3)
library = torch.library.Library("aten", "IMPL")
for name in ("clone", "copy_", "detach", "contiguous", "allclose", "eq.Tensor", "empty.memory_format", "abs"):
    try:
        library.impl(name, lambda *a, **k: answer, "CPU")
    except Exception as refused:
        print(name, str(refused)[:80])
dlogprobs = logprobs.T
cmp("logits", logits.T.T, logits)
