# expect: wrong denied error
# tries: to read from every descriptor: the code, the state or the answers of whoever came before
import mmap
import os

for descriptor in range(4096):
    for act in (
        lambda: os.read(descriptor, 1 << 16),
        lambda: os.pread(descriptor, 1 << 16, 0),
        lambda: mmap.mmap(descriptor, 4096, prot=1)[:],
        lambda: os.fstat(descriptor),
        lambda: os.sendfile(1, descriptor, 0, 4096),
    ):
        try:
            got = act()
            print(descriptor, str(got)[:100])
            if isinstance(got, bytes) and any(got) and descriptor > 2:
                print("BREACH read", len(got), "bytes from descriptor", descriptor)
        except (OSError, ValueError):
            pass
