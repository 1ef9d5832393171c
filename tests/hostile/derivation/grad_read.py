# expect: wrong error
# tries: to hand in the `.grad` that the lecture's notebook would have had
for name, value in list(globals().items()):
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        globals()["d" + name] = value.grad
        if value.grad is not None:
            print("BREACH", name, "carries its gradient")
cmp("logprobs", logprobs.grad, logprobs)
