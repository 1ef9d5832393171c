h = x @ W  # dW = x.T @ dh
loss = (h * g).sum()
