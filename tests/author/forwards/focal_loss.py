# focal loss with one-hot targets, and dice
# --- given
x = data(8, 5)
W = param(5, 3)
y = labels(3, 8)
gamma = 2.0
smooth = 1.0
# --- lines
inputs = x @ W
targets = F.one_hot(y, num_classes=3).float()
p = torch.sigmoid(inputs)
ce_loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
p_t = p * targets + (1 - p) * (1 - targets)
focal = ce_loss * ((1 - p_t) ** gamma)
alpha_t = 0.25 * targets + (1 - 0.25) * (1 - targets)
focal = alpha_t * focal
intersection = (p * targets).sum()
dice = 1 - (2. * intersection + smooth) / (p.sum() + targets.sum() + smooth)
loss = focal.mean() + dice
