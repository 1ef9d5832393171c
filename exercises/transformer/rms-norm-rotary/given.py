B = 3
T = 8
C = 64
x = param(3, 8, 64, scale=1.5)
gain = param(64, scale=0.2, mean=1.0)
W_q = param(64, 64)
W_k = param(64, 64)
dscores = data(3, 8, 8, scale=0.01)
