e = x.exp()
a = x - e
loss = (a.sin() * g).sum()
