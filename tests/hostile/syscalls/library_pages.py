# expect: ok error denied crashed
# tries: madvise(DONTNEED) and its kin on library pages, to undo changes in them or break what comes after
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
start = ctypes.cast(libc.getpid, ctypes.c_void_p).value & ~4095
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
for advice in (4, 8, 9, 16, 21, 22, 23, 24, 14, 100, 10, 12, 18):
    print(advice, libc.madvise(start, 4096, advice), ctypes.get_errno(), end="; ")
libc.msync(ctypes.c_void_p(start), ctypes.c_size_t(4096), 2)
libc.munmap(ctypes.c_void_p(start & ~0xFFFFF), ctypes.c_size_t(4096))
