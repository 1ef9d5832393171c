B = 3
T = 8
C = 64
n = 24
mid = param(3, 8, 64)
gain2 = param(64, scale=0.2, mean=1.0)
bias2 = param(64, scale=0.2)
W_fc = param(64, 256)
b_fc = param(256, scale=0.2)
W_proj = param(256, 64)
b_proj = param(64, scale=0.2)
dout = data(3, 8, 64, scale=0.003)
