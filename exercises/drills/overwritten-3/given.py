x = param(5, 3)
i = labels(3, 7)
g = data(5, 7)
