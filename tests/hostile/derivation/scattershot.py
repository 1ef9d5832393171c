# expect: wrong
# tries: to hand in hundreds of guesses for a checkpoint by cmp, hoping that the best one counts, not the last
for scale in (1.0, -1.0, 1 / n, -1 / n, 1 / (n - 1)):
    for value in list(globals().values()):
        if isinstance(value, torch.Tensor) and value.shape == logits.shape:
            cmp("logits", value * scale, logits)
            cmp("logprobs", value * scale, logprobs)
guess = torch.zeros_like(logprobs)
guess[range(n), Yb] = -1.0 / n
cmp("logprobs", guess, logprobs)
cmp("logprobs", guess * 2, logprobs)
