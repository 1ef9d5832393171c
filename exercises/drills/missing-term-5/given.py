x = param(6, 4)
g = data(6, 4)
