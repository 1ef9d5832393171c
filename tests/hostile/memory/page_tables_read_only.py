# expect: wrong memory_limit time_limit
# tries: to fill memory with page tables of pages that are only read, which no limit of data counts
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
apart = 400 << 20
kept = 0
while kept < 100_000:
    at = libc.mmap(None, ctypes.c_size_t(apart), 1, 0x22, -1, ctypes.c_long(0))
    if at == 2**64 - 1:
        break
    ctypes.string_at(at, 1)
    libc.munmap(at + 4096, apart - 4096)
    kept += 1
if kept > 70_000:
    print("BREACH", kept, "pages with page tables of their own")
