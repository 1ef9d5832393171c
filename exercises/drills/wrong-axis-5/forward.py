a = x - b
y = a.sin()
loss = (y * g).sum()
