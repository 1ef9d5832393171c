# a diffusion loss: a schedule of betas, q_sample at given steps, noise predicted
# --- given
x_start = data(4, 6)
t = labels(10, 4)
W1 = param(7, 12)
W2 = param(12, 6)
timesteps = 10
# --- lines
def extract(a, t, x_shape):
    batch_size = t.shape[0]
    out = a.gather(-1, t)
    return out.reshape(batch_size, *((1,) * (len(x_shape) - 1))).to(t.device)

betas = torch.linspace(0.0001, 0.02, timesteps)
alphas = 1. - betas
alphas_cumprod = torch.cumprod(alphas, dim=0)
sqrt_alphas_cumprod = torch.sqrt(alphas_cumprod)
sqrt_one_minus_alphas_cumprod = torch.sqrt(1. - alphas_cumprod)
noise = torch.randn_like(x_start)
x_noisy = extract(sqrt_alphas_cumprod, t, x_start.shape) * x_start + extract(sqrt_one_minus_alphas_cumprod, t, x_start.shape) * noise
inp = torch.cat([x_noisy, t[:, None].float() / timesteps], dim=1)
predicted_noise = F.gelu(inp @ W1) @ W2
loss = F.smooth_l1_loss(noise, predicted_noise)
