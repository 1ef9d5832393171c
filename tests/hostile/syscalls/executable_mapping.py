# expect: ok error denied
# tries: memory that can be executed: mmap, mprotect, pkey_mprotect, remap, shared, then write
import ctypes
import mmap

libc = ctypes.CDLL(None, use_errno=True)
number, word = ctypes.c_int, ctypes.c_size_t
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, word, number, number, number, ctypes.c_long]
failed = ctypes.c_void_p(-1).value
for protection in (7, 5, 4):
    for flags in (0x22, 0x21, 0x62):
        if libc.mmap(None, 4096, protection, flags, -1, 0) != failed:
            print("BREACH mapped executable memory", protection, flags)
try:
    mmap.mmap(-1, 4096, prot=7)
    print("BREACH executable memory from the mmap module")
except OSError as refused:
    print(refused)
page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
for protection in (7, 5, 4):
    if libc.mprotect(ctypes.c_void_p(page), word(4096), protection) == 0:
        print("BREACH mprotect", protection)
    if libc.syscall(329, ctypes.c_void_p(page), word(4096), protection, -1) == 0:
        print("BREACH pkey_mprotect", protection)
