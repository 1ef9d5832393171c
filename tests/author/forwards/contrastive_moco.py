# contrastive loss with a momentum encoder and a queue, temperature learned
# --- given
n = 4
x1 = data(n, 6)
x2 = data(n, 6)
queue = data(5, 8)
W1 = param(6, 12)
W2 = param(12, 5)
W1_m = param(6, 12)
W2_m = param(12, 5)
log_t = param(1, scale=0.1)
m = 0.99
margin = 0.2
# --- lines
def encoder(x, A, B):
    return F.normalize(F.relu(x @ A) @ B, dim=1)

q = encoder(x1, W1, W2)
with torch.no_grad():
    W1_k = m * W1_m + (1 - m) * W1
    W2_k = m * W2_m + (1 - m) * W2
    k = encoder(x2, W1_k, W2_k)
l_pos = torch.einsum('nc,nc->n', [q, k]).unsqueeze(-1)
l_neg = torch.einsum('nc,ck->nk', [q, queue.clone().detach()])
logits = torch.cat([l_pos, l_neg], dim=1)
logits = logits * log_t.exp()
labels = torch.zeros(logits.shape[0], dtype=torch.long)
nce = F.cross_entropy(logits, labels)
pair = F.cosine_embedding_loss(x1 @ W1, x2 @ W1, torch.tensor([1, -1, 1, -1]), margin=margin)
loss = nce + 0.5 * pair
