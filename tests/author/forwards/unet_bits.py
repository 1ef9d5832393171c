# bits of a U-Net: conv, group norm, pooling, upsampling, skip by cat
# --- given
x = data(1, 2, 8, 8)
w1 = param(4, 2, 3, 3, scale=0.2)
b1 = param(4)
gn_w = param(4, mean=1.0, scale=0.1)
gn_b = param(4)
w2 = param(8, 4, 3, 3, scale=0.2)
w3 = param(2, 12, 1, 1, scale=0.3)
target = data(1, 2, 8, 8)
# --- lines
def block(x, w, b=None):
    return F.conv2d(x, w, b, padding=1)

d1 = F.silu(F.group_norm(block(x, w1, b1), 2, gn_w, gn_b))
d2 = F.max_pool2d(d1, 2)
mid = F.relu(block(d2, w2))
up = F.interpolate(mid, scale_factor=2, mode='nearest')
merged = torch.cat((up, d1), dim=1)
out = F.conv2d(merged, w3)
loss = F.mse_loss(out, target)
