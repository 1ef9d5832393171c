# attention with linear biases, slopes as in the paper, padding mask
# --- given
B, T, C, H = 2, 4, 8, 4
x = data(B, T, C)
w_qkv = param(3 * C, C)
b_qkv = param(3 * C)
w_o = param(C, C)
lengths = [4, 3]
y = data(B, T, C)
# --- lines
def get_slopes(n):
    start = 2 ** (-(2 ** -(math.log2(n) - 3)))
    return [start * start ** i for i in range(n)]

slopes = torch.tensor(get_slopes(H)).view(1, H, 1, 1)
pos = torch.arange(T)
bias = -(pos[:, None] - pos[None, :]).abs() * slopes
causal = torch.ones(T, T, dtype=torch.bool).tril()
pad = torch.arange(T)[None, :] < torch.tensor(lengths)[:, None]
qkv = F.linear(x, w_qkv, b_qkv).reshape(B, T, 3, H, C // H).permute(2, 0, 3, 1, 4)
q, k, v = qkv.unbind(0)
att = (q @ k.transpose(-2, -1)) * (C // H) ** -0.5 + bias
att = att.masked_fill(~causal, torch.finfo(att.dtype).min)
att = att.masked_fill(~pad[:, None, None, :], torch.finfo(att.dtype).min)
att = att.softmax(-1)
out = (att @ v).transpose(1, 2).reshape(B, T, C)
out = F.linear(out, w_o)
se = (out - y) ** 2 * pad.unsqueeze(-1)
loss = se.sum() / pad.sum() / C
