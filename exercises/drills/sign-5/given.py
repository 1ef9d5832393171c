u = param(4, 8)
w = param(positive(4, 8))
g = data(4, 8)
