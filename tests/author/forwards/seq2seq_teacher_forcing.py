# teacher forcing decoder: append, cat of unsqueezed; conditional on turn; loss list; torch.stack().mean()
# --- given
emb = param(6, 4)
W = param(8, 4)
V = param(4, 6)
tgt = labels(6, 2, 4)
teacher = True
# --- lines
h = torch.zeros(2, 4)
inp = tgt[:, 0]
loss_list = []
for t in range(1, tgt.shape[1]):
    e = emb[inp]
    h = torch.tanh(torch.cat((e, h), 1) @ W)
    logits = h @ V
    loss_list.append(F.cross_entropy(logits, tgt[:, t]))
    top1 = logits.argmax(1)
    inp = tgt[:, t] if teacher else top1
loss = torch.stack(loss_list).mean()
