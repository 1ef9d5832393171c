emb = E[tokens]
hpreact = emb @ W
h = torch.tanh(hpreact)
logits = h @ E.T
loss = F.cross_entropy(logits, targets)
