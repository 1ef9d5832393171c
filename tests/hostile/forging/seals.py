# expect: wrong crashed error denied
# tries: to shrink, grow, seal or punch the result file that the parent maps (SIGBUS for its reader)
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for descriptor in range(64):
    for size in (0, 1, 1 << 40):
        if libc.ftruncate(descriptor, ctypes.c_long(size)) == 0:
            print("BREACH resized descriptor", descriptor)
    if libc.fallocate(descriptor, 3, ctypes.c_long(0), ctypes.c_long(1 << 20)) == 0:
        print("BREACH punched a hole in", descriptor)
    if libc.fcntl(descriptor, 1033, 0x1F) == 0:
        print("BREACH sealed", descriptor)
