E = param(3, 8)
i = labels(3, 8)
g = data(8, 8)
