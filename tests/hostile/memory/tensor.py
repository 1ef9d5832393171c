# expect: memory_limit
# tries: one tensor of forty gigabytes
torch.zeros(10**10).fill_(1)
print("BREACH filled forty gigabytes")
