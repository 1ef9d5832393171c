# expect: memory_limit error denied ok
# tries: to hide gigabytes in a file that exists only in memory, and that no rlimit of data counts
import os

held = 0
file = os.memfd_create("hoard")
try:
    while held < 2 << 30:
        held += os.write(file, bytes(1 << 20))
finally:
    print("wrote", held >> 20, "MB")
    if held > 1 << 29:
        print("BREACH half a gigabyte in a memory file")
