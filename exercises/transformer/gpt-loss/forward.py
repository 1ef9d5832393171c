logits = out @ wte.T
flat = logits.view(n, V)
probs = F.softmax(flat, dim=1)
logprobs = probs.log()
loss = -logprobs[range(n), targets].mean()
