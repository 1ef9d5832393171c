# expect: wrong error
# tries: tensors that escaped from a transform and are dead outside of it: vmap, grad, functionalize, jvp
escaped = []


def keep(x):
    escaped.append(x)
    return x.sum()


zeros = torch.zeros(32, 27)
for transform in (
    lambda: torch.func.vmap(keep)(zeros),
    lambda: torch.func.functionalize(keep)(zeros),
    lambda: torch.func.grad(keep)(zeros),
    lambda: torch.func.jvp(keep, (zeros,), (zeros,)),
):
    try:
        transform()
    except ImportError as refused:
        print(refused)
dlogprobs, dprobs, dcounts, dlogits = (escaped * 4)[:4]
for name, value in zip(("logprobs", "probs", "counts", "logits"), escaped):
    cmp(name, value, globals()[name])
