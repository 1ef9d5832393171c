# expect: crashed error ok memory_limit time_limit
# tries: C recursion that Python does not count: the destruction and comparison of deep structures
chain = None
for _ in range(3_000_000):
    chain = (chain,)
chain = None
sequence = iter(())
for _ in range(200_000):
    sequence = filter(None, sequence)
del sequence
dlogprobs = logprobs
