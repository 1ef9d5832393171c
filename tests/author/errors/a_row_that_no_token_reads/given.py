E = param(5, 3)
tokens = labels(4, 24)
g = data(24, 3)
