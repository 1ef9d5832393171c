# expect: memory_limit error denied ok
# tries: raw mmap with MAP_NORESERVE and mremap, to take address space that nobody accounts
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
size, number = ctypes.c_size_t, ctypes.c_int
libc.mmap.argtypes = [ctypes.c_void_p, size, number, number, number, ctypes.c_long]
libc.mremap.argtypes = [ctypes.c_void_p, size, size, number]
failed = ctypes.c_void_p(-1).value
for flags in (0x4022, 0x4021, 0x44022, 0x8022):  # noreserve: private, shared, huge pages, populated
    if libc.mmap(None, 1 << 36, 3, flags, -1, 0) != failed:
        print("BREACH mapped sixty-four gigabytes with flags", hex(flags))
small = libc.mmap(None, 1 << 20, 3, 0x22, -1, 0)
if small != failed and libc.mremap(small, 1 << 20, 1 << 36, 1) != failed:
    print("BREACH a mapping grew to sixty-four gigabytes")
