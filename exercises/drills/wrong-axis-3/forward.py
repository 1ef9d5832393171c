a = x / w
y = torch.sigmoid(a)
loss = (y * g).sum()
