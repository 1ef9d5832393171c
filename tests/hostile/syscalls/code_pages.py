# expect: crashed denied ok error
# tries: to make the pages of libc writable and to change the code in them
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
target = ctypes.cast(libc.getppid, ctypes.c_void_p).value
page = target & ~4095
for protection in (3, 7, 2):
    if libc.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(4096), protection) == 0:
        print("BREACH code pages are open to", protection)
    if libc.syscall(329, ctypes.c_void_p(page), ctypes.c_size_t(4096), protection, -1) == 0:
        print("BREACH pkey_mprotect on code pages", protection)
ctypes.memset(target, 0xC3, 1)
print("BREACH wrote into code")
