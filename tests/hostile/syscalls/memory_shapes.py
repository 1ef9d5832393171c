# expect: wrong error crashed
# tries: mremap, mseal, pkeys, mlock2, mbind, mincore, msync, cachestat: what a mapping can be turned into
import ctypes
import mmap

libc = ctypes.CDLL(None, use_errno=True)
page = ctypes.addressof(ctypes.c_char.from_buffer(mmap.mmap(-1, 1 << 16, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)))
code = ctypes.cast(libc.getpid, ctypes.c_void_p).value & ~4095
room = ctypes.create_string_buffer(4096)
for name, number, *arguments in (
    ("mremap", 25, page, 4096, 8192, 1), ("mremap code", 25, code, 0, 4096, 1), ("mremap fixed", 25, page, 4096, 4096, 3, code),
    ("mseal", 462, page, 4096, 0), ("pkey_alloc", 330, 0, 0), ("pkey_mprotect", 329, page, 4096, 7, -1),
    ("mprotect", 10, page, 4096, 5), ("mlock2", 325, page, 4096, 1), ("mlockall", 151, 7), ("mbind", 237, page, 4096, 1, 0, 0, 2),
    ("mincore", 27, code, 4096, ctypes.addressof(room)), ("msync", 26, code, 4096, 2), ("cachestat", 451, 0, 0, 0, 0),
    ("map_shadow_stack", 453, 0, 4096, 1), ("process_mrelease", 448, 0, 0), ("set_mempolicy", 238, 1, 0, 0),
):
    if libc.syscall(number, *map(ctypes.c_long, arguments)) != -1:
        print("BREACH", name)
    print(name, ctypes.get_errno(), end="; ")
