# expect: wrong
# tries: attributes of its own on plain tensors: names of methods, of fields, `grad` and `data`
for value in (logprobs, probs, logits):
    value.contiguous = value.detach = value.clone = value.numpy = lambda *a: torch.zeros(10**6)
    value.__class_getitem__ = value.shape_ = 7
    value.grad = torch.ones_like(value)
dlogprobs, dprobs, dlogits = logprobs, probs, logits
cmp("logprobs", logprobs, logprobs)
cmp("probs", probs.grad, probs)
