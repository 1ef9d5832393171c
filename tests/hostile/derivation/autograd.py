# expect: ok denied
# tries: to let torch derive: the network again, with requires_grad and backward
for p in (C, W1, b1, W2, b2, bngain, bnbias):
    p.requires_grad_()
x = C[Xb].view(Xb.shape[0], -1) @ W1 + b1
hh = torch.tanh(bngain * (x - x.mean(0)) * (x.var(0) + 1e-5) ** -0.5 + bnbias)
F.cross_entropy(hh @ W2 + b2, Yb).backward()
dC, dW1, db1, dW2, db2, dbngain, dbnbias = (p.grad for p in (C, W1, b1, W2, b2, bngain, bnbias))
