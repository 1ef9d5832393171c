hpreact = x @ W1 + b1
h = torch.tanh(hpreact)
z = h @ W2 + b2
p = torch.sigmoid(z)
yes = y * p.log()
no = (1 - y) * (1 - p).log()
loss = -(yes + no).mean()
