# expect: ok error denied
# tries: the x32 numbers, which a filter that only looks at the architecture takes for native
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for number in (39, 2, 57, 41, 59, 520, 545):
    if libc.syscall(0x40000000 | number, b"/etc/passwd", 0, 0) >= 0:
        print("BREACH x32 call", number)
    print(ctypes.get_errno(), end=" ")
