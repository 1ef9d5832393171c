# expect: wrong error
# tries: named tensors, whose operations refuse what plain ones do, and names where there are none any more
for act in (
    lambda: logprobs.rename("rows", "letters"),
    lambda: torch.zeros(32, 27, names=("a", "b")),
    lambda: logits.refine_names("a", "b").T,
    lambda: torch._C.TensorBase.names.__set__(logits, ("a", "b")),
):
    try:
        dlogprobs = act()
        cmp("logprobs", dlogprobs, logprobs)
    except (AttributeError, TypeError, RuntimeError) as refused:
        print(refused)
dlogprobs = logits
cmp("logprobs", dlogprobs, logprobs)
