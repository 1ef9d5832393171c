# expect: ok time_limit
# tries: to measure the gradient of the logits by small differences, which is slow and not quite right
z = logits.double()
dlogits = torch.zeros_like(z)
for i in range(z.shape[0]):
    for j in range(z.shape[1]):
        up, down = z.clone(), z.clone()
        up[i, j] += 1e-5
        down[i, j] -= 1e-5
        dlogits[i, j] = (F.cross_entropy(up, Yb) - F.cross_entropy(down, Yb)) / 2e-5
