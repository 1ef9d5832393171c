# expect: wrong
# tries: to hand in functions that would compute the answer if only somebody called them
dlogprobs = lambda: torch.full_like(logprobs, -1.0 / n)  # noqa: E731
dprobs = property(lambda self: 1.0 / probs)
dlogits = torch.nn.Softmax(1)
dh = type("Lazy", (), {"__call__": lambda self: logits @ W2.T, "tensor": h})()
cmp("logprobs", dlogprobs, logprobs)
cmp("h", dh, h)
