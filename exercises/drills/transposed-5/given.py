x = param(6, 6)
W = param(6, 8)
g = data(6, 8)
