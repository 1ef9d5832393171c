dh = g.clone()
dW = dh.T @ x
