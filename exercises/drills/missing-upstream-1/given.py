x = param(4, 5)
g = data(4, 5)
