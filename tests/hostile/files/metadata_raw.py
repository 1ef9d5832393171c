# expect: ok error denied
# tries: the metadata calls that Python has no name for: statx, faccessat2, statfs, listmount, statmount
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(4096)
request = (ctypes.c_uint64 * 8)(24, 0xFFFFFFFFFFFFFFFF)
for name, *arguments in (
    ("statx", 332, -100, b"/etc/passwd", 0, 0xFFF, room),
    ("newfstatat", 262, -100, b"/etc/passwd", room, 0),
    ("stat", 4, b"/etc/passwd", room),
    ("access", 21, b"/etc/passwd", 0),
    ("faccessat2", 439, -100, b"/etc/passwd", 0, 0),
    ("readlinkat", 267, -100, b"/proc/self/exe", room, 4096),
    ("getcwd", 79, room, 4096),
    ("statfs", 137, b"/", room),
    ("ustat", 136, 1, room),
    ("listmount", 458, request, room, 16, 0),
    ("getxattrat", 464, -100, b"/etc", 0, b"user.x", room, 64),
    ("sysfs", 139, 3),
):
    if libc.syscall(*arguments) >= 0:
        print("BREACH", name, room.raw[:64])
    print(name, ctypes.get_errno())
