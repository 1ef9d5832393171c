maxes = x.max(1, keepdim=True).values
shifted = x - maxes
exps = shifted.exp()
sums = exps.sum(1, keepdim=True)
probs = exps / sums
loss = (probs * dprobs).sum()
