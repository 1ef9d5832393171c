e = E[tokens]
a = e.tanh()
loss = (a * g).sum()
