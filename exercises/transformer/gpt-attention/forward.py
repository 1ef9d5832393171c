qkv = xn1 @ W_qkv
q, k, v = qkv.split(C, dim=-1)
qh = q.view(B, T, H, C // H).transpose(1, 2)
kh = k.view(B, T, H, C // H).transpose(1, 2)
vh = v.view(B, T, H, C // H).transpose(1, 2)
scores = qh @ kh.transpose(-2, -1) * (C // H) ** -0.5
masked = scores.masked_fill(mask, float("-inf"))
att = F.softmax(masked, dim=-1)
yh = att @ vh
y = yh.transpose(1, 2).reshape(B, T, C)
a = y @ W_o + b_o
loss = (a * da).sum()
