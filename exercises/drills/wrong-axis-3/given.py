x = param(7, 7)
w = param(positive(7))
g = data(7, 7)
