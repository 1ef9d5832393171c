# expect: ok error denied time_limit
# tries: a million forbidden calls, should each one cost the sandbox, or the kernel's log, something
import ctypes

libc = ctypes.CDLL(None)
for _ in range(1_000_000):
    libc.open(b"/etc/passwd", 0)
