x = param(4, 6, scale=1.0)
dy = data(4, 6, scale=0.02)
