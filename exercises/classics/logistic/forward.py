hpreact = x @ W1 + b1
h = torch.tanh(hpreact)
z = h @ W2 + b2
p = torch.sigmoid(z)
likelihood = y * p.log() + (1 - y) * (1 - p).log()
loss = -likelihood.mean()
