logits = x @ W + b
logprobs = F.log_softmax(logits, 1)
loss = -logprobs[range(n), y].mean()
