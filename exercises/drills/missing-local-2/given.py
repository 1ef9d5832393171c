x = param(5, 4)
g = data(5, 4)
