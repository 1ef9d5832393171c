# a graph convolution with a dense adjacency, symmetrically normalised, masked nodes
# --- given
X = data(6, 4)
A = uniform(6, 6)
W1 = param(4, 5)
W2 = param(5, 3)
y = labels(3, 6)
train_mask = mask(6)
# --- lines
A = ((A + A.T) > 1.0).float()
A_hat = A + torch.eye(A.size(0))
deg = A_hat.sum(1)
D_inv_sqrt = torch.diag(deg.pow(-0.5))
L = D_inv_sqrt @ A_hat @ D_inv_sqrt
H = torch.relu(L @ X @ W1)
logits = L @ H @ W2
per_node = F.cross_entropy(logits, y, reduction='none')
m = train_mask.float()
loss = (per_node * m).sum() / m.sum().clamp(min=1)
