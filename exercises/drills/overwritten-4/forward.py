e = w[i]
y = e.sin()
loss = (y * g).sum()
