# expect: memory_limit crashed error denied ok
# tries: to move the program break by gigabytes, around malloc
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.sbrk.restype = ctypes.c_void_p
libc.sbrk.argtypes = [ctypes.c_ssize_t]
for size in (1 << 32, 1 << 31, 1 << 30, 1 << 29):
    if libc.sbrk(size) != ctypes.c_void_p(-1).value:
        print("BREACH the heap grew by", size)
