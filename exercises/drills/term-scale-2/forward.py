a = x**2
y = a + x.sin()
loss = (y * g).sum()
