x = param(7, 5)
g = data(7, 5)
