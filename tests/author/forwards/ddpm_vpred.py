# DDPM loss, cosine schedule, v-prediction, min-SNR weights, up and down sampling
# --- given
steps = 10
x0 = data(2, 2, 4, 4)
t = labels(10, 2)
s = 0.008
gamma = 5.0
w_in = param(4, 2, 3, 3)
b_in = param(4)
w_mid = param(4, 4, 3, 3)
w_t = param(4, 8)
w_out = param(2, 8, 3, 3)
b_out = param(2)
# --- lines
ts = torch.linspace(0, steps, steps + 1) / steps
f = torch.cos((ts + s) / (1 + s) * math.pi * 0.5) ** 2
alphas_cumprod = f / f[0]
betas = torch.clip(1 - alphas_cumprod[1:] / alphas_cumprod[:-1], 0.0001, 0.999)
acp = torch.cumprod(1.0 - betas, dim=0)

def extract(a, t, x_shape):
    b, *_ = t.shape
    out = a.gather(-1, t)
    return out.reshape(b, *((1,) * (len(x_shape) - 1)))

def timestep_embedding(t, dim):
    half = dim // 2
    freqs = torch.exp(-math.log(10000) * torch.arange(half) / half)
    args = t[:, None].float() * freqs[None]
    return torch.cat([torch.cos(args), torch.sin(args)], dim=-1)

noise = torch.randn_like(x0)
a = extract(acp, t, x0.shape)
x_t = a.sqrt() * x0 + (1 - a).sqrt() * noise
emb = F.silu(timestep_embedding(t, 8) @ w_t.T)
h = F.silu(F.conv2d(x_t, w_in, b_in, padding=1)) + emb[..., None, None]
d = F.silu(F.conv2d(F.avg_pool2d(h, 2), w_mid, padding=1))
u = F.interpolate(d, scale_factor=2, mode='bilinear', align_corners=False)
pred = F.conv2d(torch.cat((h, u), dim=1), w_out, b_out, padding=1)
v = a.sqrt() * noise - (1 - a).sqrt() * x0
snr = a / (1 - a)
weight = torch.minimum(snr, torch.full_like(snr, gamma)) / (snr + 1)
loss = F.mse_loss(pred, v, reduction='none')
loss = (loss.mean(dim=(1, 2, 3)) * weight.flatten()).mean()
