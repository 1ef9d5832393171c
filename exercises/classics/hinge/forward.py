hpreact = x @ W1 + b1
h = torch.relu(hpreact)
scores = h @ W2 + b2
correct = scores[range(n), y].view(n, 1)
margins = scores - correct + 1
hinge = torch.relu(margins)
loss = hinge.sum() / n - 1 + 0.05 * (W1**2).sum() + 0.05 * (W2**2).sum()
