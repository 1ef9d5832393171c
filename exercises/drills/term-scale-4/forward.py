a = x**3
y = a + x.sin()
loss = (y * g).sum()
