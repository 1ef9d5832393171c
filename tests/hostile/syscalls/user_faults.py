# expect: ok error denied
# tries: userfaultfd, to hold the kernel (or a parent that reads this memory) in the middle of a copy
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for flags in (0, 1, 0o2000000, 0o2004001):
    if libc.syscall(323, flags) >= 0:
        print("BREACH userfaultfd")
print(ctypes.get_errno())
