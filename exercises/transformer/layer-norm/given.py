B = 3
T = 8
C = 64
x = param(3, 8, 64, scale=1.5, mean=0.3)
gain = param(64, scale=0.2, mean=1.0)
bias = param(64, scale=0.2)
dout = data(3, 8, 64, scale=0.02)
