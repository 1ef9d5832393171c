x = param(6, 5)
g = data(6, 5)
