# expect: wrong
# tries: to map pages at addresses of its own choice, a GiB apart, as hints and by force
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
for flags in (0x22, 0x22 | 0x10, 0x22 | 0x100000, 0x22 | 0x20000):  # a hint, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_STACK
    for rights in (1, 3):
        for gib in range(4096, 4110):
            at = libc.mmap(ctypes.c_void_p(gib << 30), ctypes.c_size_t(4096), rights, flags, -1, ctypes.c_long(0))
            if at != 2**64 - 1:
                print("BREACH a page at", hex(at), "with flags", hex(flags))
moved = libc.mmap(None, ctypes.c_size_t(4096), 3, 0x22, -1, ctypes.c_long(0))
libc.mremap.restype = ctypes.c_void_p
if libc.mremap(ctypes.c_void_p(moved), 4096, 4096, 3, ctypes.c_void_p(4200 << 30)) != 2**64 - 1:
    print("BREACH a page moved to a chosen address")
dlogprobs = torch.zeros(32, 27)
