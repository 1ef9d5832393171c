B = 3
T = 8
C = 64
H = 4
x = param(3, 8, 64)
W_q = param(64, 64)
b_q = param(64, scale=0.2)
W_k = param(64, 64)
b_k = param(64, scale=0.2)
W_v = param(64, 64)
b_v = param(64, scale=0.2)
W_o = param(64, 64)
b_o = param(64, scale=0.2)
mask = causal(8)
dout = data(3, 8, 64, scale=0.003)
