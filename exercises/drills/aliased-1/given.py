x = param(8, 7)
g = data(8, 7)
