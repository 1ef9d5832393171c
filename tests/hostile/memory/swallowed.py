# expect: memory_limit time_limit wrong error
# tries: to catch every MemoryError and to go on with ever smaller pieces until nothing at all is left
hoard, size, held = [], 1 << 28, 0
while size and held < 4 << 30:
    try:
        hoard.append(b"\xff" * size)
        held += size
    except MemoryError:
        size //= 2
if held >= 4 << 30:
    print("BREACH holds four gigabytes")
dlogprobs = logprobs * 2
