x = param(2, 7, scale=1.0)
dy = data(2, 5, 3, scale=0.02)
