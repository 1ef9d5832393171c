x = param(4, 7)
g = data(4, 7)
W = param(7, 7)
