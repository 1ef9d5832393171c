# expect: memory_limit error denied ok
# tries: a shared anonymous mapping, which RLIMIT_DATA does not count
import mmap

held = []
try:
    while len(held) < 64:
        pages = mmap.mmap(-1, 1 << 26)
        for offset in range(0, 1 << 26, 4096):
            pages[offset] = 1
        held.append(pages)
finally:
    print("mapped and touched", len(held) * 64, "MB")
    if len(held) > 20:
        print("BREACH more shared memory than the limit of private memory")
