x = param(4, 6, scale=1.0)
dnormed = data(4, 6, scale=0.02)
