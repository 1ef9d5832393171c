a = x * c
y = a.sin()
loss = (y * g).sum()
