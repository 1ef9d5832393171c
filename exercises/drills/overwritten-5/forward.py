e = E[i]
y = torch.sigmoid(e)
loss = (y * g).sum()
