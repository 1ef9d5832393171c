# expect: memory_limit time_limit
# tries: many tensors, each of a size that looks harmless
hoard = [torch.ones(1 << 18) for _ in range(4096)]
print("BREACH holds four gigabytes of tensors")
