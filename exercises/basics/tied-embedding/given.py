n = 16
E = param(7, 5, scale=0.3)
W = param(5, 5)
tokens = labels(7, 16)
targets = labels(7, 16)
