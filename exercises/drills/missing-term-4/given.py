x = param(5, 6)
g = data(5, 6)
W = param(6, 6)
