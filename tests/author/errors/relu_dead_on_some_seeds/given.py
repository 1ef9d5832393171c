x = data(2, 4)
W = param(4, 1)
g = data(2, 1)
