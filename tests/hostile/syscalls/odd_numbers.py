# expect: ok error denied crashed
# tries: numbers that a filter may cut to 32 bits or compare with a sign, and numbers that nobody uses
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for number in (0x100000000 + 57, 0xFFFFFFFF00000002, 335, 512, 547, 1000, 0x8000000000000039, 0x7FFFFFFF, -1):
    result = libc.syscall(ctypes.c_long(number), b"/etc/passwd", 0, 0)
    if result > 2:
        print("BREACH number", hex(number), "gave", result)
    print(ctypes.get_errno(), end=" ")
