# label smoothing by hand: a target distribution built in place under no_grad
# --- given
x = data(6, 5)
W = param(5, 4)
target = labels(4, 6)
smoothing = 0.1
# --- lines
pred = (x @ W).log_softmax(dim=-1)
classes = pred.size(-1)
with torch.no_grad():
    true_dist = torch.zeros_like(pred)
    true_dist.fill_(smoothing / (classes - 1))
    true_dist.scatter_(1, target.data.unsqueeze(1), 1.0 - smoothing)
loss = torch.mean(torch.sum(-true_dist * pred, dim=-1))
