x = param(3, 8, scale=1.0)
W = param(3, 5)
b = param(5, scale=0.5)
dy = data(3, 6, 5, scale=0.02)
