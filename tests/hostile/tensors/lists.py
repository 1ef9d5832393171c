# expect: wrong time_limit memory_limit
# tries: lists that hold themselves, are nested a thousand deep, or never end
ring = []
ring.append(ring)
deep = []
for _ in range(100_000):
    deep = [deep]
dlogprobs, dprobs = ring, deep
cmp("counts", ring, counts)
cmp("h", deep, h)
