# expect: memory_limit time_limit
# tries: to eat memory by a list that only grows
hoard = []
for _ in range(4096):
    hoard.append(bytearray(1 << 20))
print("BREACH holds four gigabytes")
