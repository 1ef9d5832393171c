E = param(3, 5)
i = labels(3, 2, 4)
g = data(2, 4, 5)
