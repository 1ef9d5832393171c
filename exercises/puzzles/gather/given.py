x = param(4, 5, scale=1.0)
index = labels(5, 4, 7)
dy = data(4, 7, scale=0.02)
