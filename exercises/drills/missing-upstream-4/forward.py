a = u * v
y = torch.sigmoid(a)
loss = (y * g).sum()
