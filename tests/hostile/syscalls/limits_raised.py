# expect: ok error denied
# tries: to raise its own limits, and to lower its parent's
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
endless, now = (ctypes.c_uint64 * 2)(-1, -1), (ctypes.c_uint64 * 2)()
for what in range(16):
    known = libc.getrlimit(what, now) == 0
    if libc.setrlimit(what, endless) == 0 and not (known and now[1] == 2**64 - 1):
        print("BREACH limit", what, "was", list(now) if known else "unknown")
    now[0] = now[1]
    print(what, known and libc.setrlimit(what, now), end=" ")
for pid in (os.getppid(), 1):
    if libc.prlimit(pid, 9, None, now) == 0 or libc.prlimit(pid, 9, now, None) == 0:
        print("BREACH prlimit of", pid)
