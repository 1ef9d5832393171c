B = 3
T = 8
C = 64
H = 4
V = 27
n = 24
idx = labels(27, 3, 8)
targets = labels(27, 24)
mask = causal(8)
wte = param(27, 64, scale=0.05)
wpe = param(8, 64)
gain1 = param(64, scale=0.2, mean=1.0)
bias1 = param(64, scale=0.2)
W_qkv = param(64, 192)
W_o = param(64, 64)
b_o = param(64, scale=0.2)
gain2 = param(64, scale=0.2, mean=1.0)
bias2 = param(64, scale=0.2)
W_fc = param(64, 256)
b_fc = param(256, scale=0.2)
W_proj = param(256, 64)
b_proj = param(64, scale=0.2)
