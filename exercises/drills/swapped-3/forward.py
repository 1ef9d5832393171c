a = u.exp() * v
y = a.sin()
loss = (y * g).sum()
