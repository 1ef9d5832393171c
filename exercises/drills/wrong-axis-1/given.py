x = param(4, 4)
b = param(4)
g = data(4, 4)
