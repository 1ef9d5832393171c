# expect: wrong time_limit output_limit
# tries: to wear the harness out by cmp, a million times
for _ in range(1_000_000):
    cmp("logprobs", logprobs, logprobs)
