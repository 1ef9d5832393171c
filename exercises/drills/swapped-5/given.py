f = param(5, 7)
i = param(5, 7)
g = data(5, 7)
