logit_maxes = logits.max(1, keepdim=True).values
norm_logits = logits - logit_maxes  # the largest is 0, so that exp cannot overflow
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdim=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(n), Yb].mean()
