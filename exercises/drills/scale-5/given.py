x = param(5, 6)
g = data(5, 6)
