# Embedding
tok = wte[idx]
x = tok + wpe
# Layer norm
mean1 = x.mean(-1, keepdim=True)
centred1 = x - mean1
var1 = (centred1 ** 2).mean(-1, keepdim=True)
inv1 = (var1 + 1e-5) ** -0.5
xhat1 = centred1 * inv1
xn1 = xhat1 * gain1 + bias1
# Causal attention with four heads
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
mid = x + a
# Layer norm
mean2 = mid.mean(-1, keepdim=True)
centred2 = mid - mean2
var2 = (centred2 ** 2).mean(-1, keepdim=True)
inv2 = (var2 + 1e-5) ** -0.5
xhat2 = centred2 * inv2
xn2 = xhat2 * gain2 + bias2
# MLP
h = xn2 @ W_fc + b_fc
cdf = 0.5 * (1.0 + torch.erf(h / 2.0 ** 0.5))
act = h * cdf
m = act @ W_proj + b_proj
out = mid + m
# Loss, with the embedding table once more
logits = out @ wte.T
flat = logits.view(n, V)
probs = F.softmax(flat, dim=1)
logprobs = probs.log()
loss = -logprobs[range(n), targets].mean()
