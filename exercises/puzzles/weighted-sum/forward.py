p = torch.softmax(s, 1)
Y = p @ V
loss = (Y * dY).sum()
