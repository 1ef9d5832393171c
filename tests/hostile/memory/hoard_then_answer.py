# expect: memory_limit wrong error
# tries: to leave no memory for the harness, so that it fails where it copies the answers
dlogprobs = torch.ones(32, 27)
dlogits = torch.ones(32, 27, dtype=torch.float16)
hoard = []
for size in (1 << 24, 1 << 20, 1 << 16, 1 << 12, 1 << 8, 1 << 5):
    try:
        while True:
            hoard.append(bytearray(size))
    except MemoryError:
        pass
