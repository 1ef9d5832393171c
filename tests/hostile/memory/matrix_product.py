# expect: memory_limit time_limit
# tries: an outer product, whose result is the giant and not its arguments
v = torch.ones(200_000, 1)
print("BREACH", (v @ v.T).sum())
