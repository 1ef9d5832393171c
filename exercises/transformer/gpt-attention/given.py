B = 3
T = 8
C = 64
H = 4
n = 24
mask = causal(8)
xn1 = param(3, 8, 64)
W_qkv = param(64, 192)
W_o = param(64, 64)
b_o = param(64, scale=0.2)
da = data(3, 8, 64, scale=0.01)
