# expect: ok error denied crashed
# tries: arguments whose upper halves a filter forgets to look at
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
wide = ctypes.c_long
failed = -1
high = 1 << 32
tries = ((7 | high, 0x22), (4 | high, 0x22), (3, 0x21 | high), (3 | high, high << 16 | 0x22), (5, 0x22))
for protection, flags in tries:
    got = libc.syscall(9, None, wide(4096), wide(protection), wide(flags), wide(-1), wide(0))
    if got not in (failed, 0):
        print("BREACH mapped with", hex(protection), hex(flags), hex(got))
page = libc.syscall(9, None, wide(4096), wide(3), wide(0x22), wide(-1), wide(0))
print(hex(page), libc.syscall(28, wide(page), wide(4096), wide(high | 4)), ctypes.get_errno())
room = ctypes.create_string_buffer(16)
for number in (0, 46):
    print(number, libc.syscall(number, wide(high | 3), room, wide(16)), ctypes.get_errno())
