a = f * i
y = a.exp()
loss = (y * g).sum()
