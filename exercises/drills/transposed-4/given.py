x = param(5, 8)
g = data(5, 8)
W = param(8, 8)
