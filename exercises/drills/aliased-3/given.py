x = param(7, 4)
g = data(7, 4)
