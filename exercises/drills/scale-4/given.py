x = param(6, 7)
g = data(6, 7)
