dh = g.clone()
dW = x.T @ dy
