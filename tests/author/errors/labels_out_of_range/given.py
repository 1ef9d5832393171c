x = data(6, 4)
W = param(4, 3)
y = labels(4, 3)
