x = param(4, 6, scale=1.0)
row = param(6)
column = param(4, 1)
dy = data(4, 6, scale=0.02)
