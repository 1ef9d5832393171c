B = 3
T = 8
C = 64
V = 27
n = 24
targets = labels(27, 24)
out = param(3, 8, 64)
wte = param(27, 64, scale=0.05)
