x = param(3, 4, 5, scale=1.0)
dy = data(5, 3, 4, scale=0.02)
