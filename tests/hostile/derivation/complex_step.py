# expect: ok wrong
# tries: derivatives by an imaginary step, which are right to the last bits and need no graph
dlogits = torch.zeros_like(logits)
for column in range(27):
    z = logits.to(torch.complex128)
    z[:, column] += 1e-30j
    losses = -(z - z.exp().sum(1, keepdim=True).log())[range(n), Yb] / n
    dlogits[:, column] = losses.imag.float() * 1e30
cmp("logits", dlogits, logits)
