y = x @ W + b
out = y @ V
loss = (out * dout).sum()
