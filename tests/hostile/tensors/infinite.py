# expect: wrong
# tries: infinities, subnormal and enormous numbers, and minus zero
dlogprobs = torch.full_like(logprobs, float("inf"))
dprobs = -dlogprobs
dcounts = torch.full_like(counts, 3.4e38)
dh = torch.full_like(h, 1e-45)
dlogits = dlogprobs - dlogprobs
dW1 = torch.zeros_like(W1).neg()
dW2 = torch.full(W2.shape, 1e308, dtype=torch.float64)
