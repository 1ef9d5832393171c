k = x @ Wk + bk
s = x @ k.transpose(-2, -1)
p = s.softmax(-1)
y = p @ x
loss = (y * g).sum()
