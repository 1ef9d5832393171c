# a hypernetwork makes a layer's weight; a second layer has a LoRA update and weight norm
# --- given
x = data(4, 5)
c = data(4, 2)
Hw = param(2, 30)
Hb = param(6)
W0 = data(6, 3)
A = param(6, 2)
B = param(2, 3)
v = param(3, 3)
gain = param(3, 1)
y = data(4, 3)
r = 2
lora_alpha = 4
# --- lines
w = (c @ Hw).view(-1, 5, 6)
h = torch.bmm(x.unsqueeze(1), w).squeeze(1) + Hb
h = torch.tanh(h)
scaling = lora_alpha / r
out = h @ W0 + (h @ A @ B) * scaling
weight = gain * v / v.norm(2, dim=1, keepdim=True)
out = F.linear(out, weight)
loss = (out - y).square().mean()
