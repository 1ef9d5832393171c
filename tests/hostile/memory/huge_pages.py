# expect: wrong memory_limit error
# tries: huge pages, by advice and by flag, for memory that is touched once in two megabytes
import ctypes
import mmap

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
for flags in (0x22 | 0x40000, 0x22 | 0x8000, 0x22 | 0x2000, 0x22 | 0x100, 0x22 | 0x4000):
    at = libc.mmap(None, ctypes.c_size_t(200 << 20), 3, flags, -1, ctypes.c_long(0))
    if at != 2**64 - 1:
        print("advice", libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(200 << 20), 14), "flags", hex(flags))
        for offset in range(0, 200 << 20, 2 << 20):
            ctypes.c_char.from_address(at + offset).value = b"x"
held = [mmap.mmap(-1, 1 << 21, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for _ in range(20)]
