p = (x @ w).sigmoid()
likelihood = y * p.log() + (1 - y) * (1 - p).log()
loss = -likelihood.mean()
