B = 3
T = 8
C = 64
V = 27
n = 24
idx = labels(27, 3, 8)
wte = param(27, 64, scale=0.05)
wpe = param(8, 64)
gain1 = param(64, scale=0.2, mean=1.0)
bias1 = param(64, scale=0.2)
a = data(3, 8, 64)
dxn1 = data(3, 8, 64, scale=0.01)
dmid = data(3, 8, 64, scale=0.01)
