# PPO: clipped surrogate, value loss, entropy bonus, advantages normalised
# --- given
obs = data(10, 4)
actions = labels(3, 10)
old_logp = data(10, mean=-1.0, scale=0.3)
returns = data(10)
adv = data(10)
Wp = param(4, 3)
Wv = param(4, 1)
clip_eps = 0.2
vf_coef = 0.5
ent_coef = 0.01
# --- lines
logits = obs @ Wp
logp_all = F.log_softmax(logits, dim=-1)
logp = logp_all[torch.arange(len(actions)), actions]
ratio = (logp - old_logp).exp()
adv = (adv - adv.mean()) / (adv.std() + 1e-8)
surr1 = ratio * adv
surr2 = torch.clamp(ratio, 1.0 - clip_eps, 1.0 + clip_eps) * adv
policy_loss = -torch.min(surr1, surr2).mean()
values = (obs @ Wv).squeeze(-1)
value_loss = F.mse_loss(values, returns)
entropy = -(logp_all.exp() * logp_all).sum(-1).mean()
loss = policy_loss + vf_coef * value_loss - ent_coef * entropy
