x = param(4, 8)
g = data(4)
