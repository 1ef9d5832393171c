# expect: error denied memory_limit
# tries: torch's own shared memory, which would outlive the run
t = torch.zeros(1 << 20)
t.share_memory_()
print("BREACH a tensor in shared memory", t.is_shared())
