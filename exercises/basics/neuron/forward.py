weighted = w * x
total = weighted.sum(0, keepdim=True)
z = total + b
a = torch.tanh(z)
error = a - target
loss = (error**2).sum()
