# expect: time_limit memory_limit
# tries: one torch kernel that runs for minutes and never looks at signals
a = torch.rand(1500, 1500)
for _ in range(10_000):
    torch.linalg.svd(a)
