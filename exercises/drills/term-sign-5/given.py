x = param(8, 4)
g = data(8, 4)
