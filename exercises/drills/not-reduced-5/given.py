x = param(5, 4)
g = data(5, 4)
s = param(positive(5, 1))
