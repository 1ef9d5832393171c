x = param(5, 5)
b = param(5)
g = data(5, 5)
