# SAC losses
# --- given
obs = data(6, 3)
act_noise = data(6, 2)
q1w = data(5, 1)
pw = param(3, 2)
ps = param(3, 2)
log_alpha = param(1)
# --- lines
mean = obs @ pw
log_std = torch.clamp(obs @ ps, -20, 2)
std = log_std.exp()
u = mean + std * act_noise
a = torch.tanh(u)
log_prob = (-0.5 * ((u - mean) / std) ** 2 - log_std - 0.5 * math.log(2 * math.pi)).sum(1)
log_prob -= (2 * (math.log(2) - u - F.softplus(-2 * u))).sum(axis=1)
q = torch.cat([obs, a], dim=-1) @ q1w
alpha = log_alpha.exp().detach()
actor_loss = (alpha * log_prob - q.squeeze(-1)).mean()
alpha_loss = -(log_alpha * (log_prob + 1.0).detach()).mean()
loss = actor_loss + alpha_loss
