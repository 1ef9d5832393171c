dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), targets] = -1.0 / n
dprobs = dlogprobs / probs
dflat = probs * (dprobs - (probs * dprobs).sum(1, keepdim=True))
dlogits = dflat.view(B, T, V)
dout = dlogits @ wte
dwte = dlogits.view(n, V).T @ out.view(n, C)
