# expect: crashed denied error
# tries: to take a page out of a library's code and to let the kernel put writable memory into the hole
import ctypes

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
target = ctypes.cast(libc.wcsxfrm, ctypes.c_void_p).value
page = target & ~4095
print("taken away:", libc.munmap(ctypes.c_void_p(page), ctypes.c_size_t(4096)))
got = libc.mmap(ctypes.c_void_p(page), ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0))
print("in its place:", got == page)
ctypes.memmove(target, bytes.fromhex("b82a000000c3"), 6)
if libc.wcsxfrm() == 42:
    print("BREACH ran its own machine code in a library's place")
