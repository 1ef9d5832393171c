w = param(4)
i = labels(4, 9)
g = data(9)
