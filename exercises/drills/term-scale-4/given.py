x = param(8, 5)
g = data(8, 5)
