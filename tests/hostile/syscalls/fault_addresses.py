# expect: wrong crashed error denied
# tries: every call that is let through, with addresses of the kernel, of nobody, and of the end of the world
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
for at in (0, 1, -1, -4096, 0x7FFFFFFFF000, 0xFFFF800000000000, 0xFFFFFFFF80000000, 0xFFFFFFFFFF5FF000):
    for number, *arguments in (
        (228, 0, at), (229, 0, at), (230, 0, 0, at, at), (35, at, at), (96, at, at), (201, at), (318, at, 4096, 0),
        (1, 1, at, 4096), (202, at, 0x81, 1, at, at, 0), (202, at, 0x80, 0, at, at, 0), (28, at, 4096, 14), (11, at, 4096),
        (9, at, 4096, 3, 0x22, -1, 0), (9, at, -1, 3, 0x22, -1, 0), (12, at), (3, at),
    ):
        result = libc.syscall(number, *map(ctypes.c_long, arguments))
        if number == 9 and result != -1 and result % 2**64 > 2**47:
            print("BREACH memory of the kernel at", hex(result))
