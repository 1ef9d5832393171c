E = param(2, 8)
i = labels(2, 6)
g = data(6, 8)
