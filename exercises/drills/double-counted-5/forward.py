a = torch.sigmoid(x)
y = a * x
loss = (y * g).sum()
