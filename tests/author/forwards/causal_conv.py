# causal dilated convolution stack with gated residuals and weight norm
# --- given
x = data(2, 3, 8)
v1 = param(6, 3, 2)
g1 = param(6, 1, 1, mean=1.0, scale=0.1)
b1 = param(6)
v2 = param(6, 3, 2)
g2 = param(6, 1, 1, mean=1.0, scale=0.1)
b2 = param(6)
head = param(4, 3, 1)
y = labels(4, 2, 8)
# --- lines
class CausalConv:
    def __init__(self, v, g, b, dilation):
        self.v, self.g, self.b, self.dilation = v, g, b, dilation

    def __call__(self, x):
        w = self.g * self.v / self.v.norm(dim=(1, 2), keepdim=True)
        pad = (self.v.size(2) - 1) * self.dilation
        out = F.conv1d(F.pad(x, (pad, 0)), w, self.b, dilation=self.dilation)
        a, b = out.chunk(2, dim=1)
        return x + torch.tanh(a) * torch.sigmoid(b)

layers = [CausalConv(v1, g1, b1, 1), CausalConv(v2, g2, b2, 2)]
h = x
for layer in layers:
    h = layer(h)
logits = F.conv1d(h, head)
loss = F.cross_entropy(logits.transpose(1, 2).reshape(-1, 4), y.reshape(-1))
