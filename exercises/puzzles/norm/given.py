x = param(4, 5, scale=1.0)
dy = data(4, scale=0.02)
