# a text CNN: embedding, conv1d of several widths, max over time, dropout off
# --- given
tokens = labels(9, 3, 7)
emb = param(9, 4)
k2 = param(5, 4, 2, scale=0.3)
k3 = param(5, 4, 3, scale=0.3)
fc = param(10, 2)
y = labels(2, 3)
training = False
# --- lines
x = F.embedding(tokens, emb).transpose(1, 2)
pooled = []
for kernel in (k2, k3):
    c = F.relu(F.conv1d(x, kernel))
    pooled.append(F.max_pool1d(c, c.shape[2]).squeeze(2))
h = torch.cat(pooled, 1)
h = F.dropout(h, 0.5, training=training)
logit = h @ fc
loss = F.nll_loss(F.log_softmax(logit, 1), y)
