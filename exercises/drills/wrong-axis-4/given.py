x = param(7, 7)
g = data(7)
