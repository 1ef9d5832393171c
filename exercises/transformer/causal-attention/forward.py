q = x @ W_q + b_q
k = x @ W_k + b_k
v = x @ W_v + b_v
qh = q.view(B, T, H, C // H).transpose(1, 2)
kh = k.view(B, T, H, C // H).transpose(1, 2)
vh = v.view(B, T, H, C // H).transpose(1, 2)
scores = qh @ kh.transpose(-2, -1) * (C // H) ** -0.5
masked = scores.masked_fill(mask, float("-inf"))
att = F.softmax(masked, dim=-1)
yh = att @ vh
y = yh.transpose(1, 2).reshape(B, T, C)
out = y @ W_o + b_o
loss = (out * dout).sum()
