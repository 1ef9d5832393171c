x = data(6, 4)
W = param(4, 3)
g = data(6, 3)
