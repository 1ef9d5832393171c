# expect: ok error denied
# tries: open, openat, openat2, creat, open_by_handle_at, name_to_handle_at, uselib, quotactl below Python
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
how = (ctypes.c_uint64 * 3)()
handle = ctypes.create_string_buffer(b"\x80\0\0\0" + bytes(140))
mount = ctypes.c_int()
libc.fopen.restype = libc.opendir.restype = ctypes.c_void_p
if libc.fopen(b"/etc/passwd", b"r") or libc.opendir(b"/"):
    print("BREACH the C library opened it")
for number, *arguments in (
    (2, b"/etc/passwd", 0),
    (257, -100, b"/etc/passwd", 0),
    (257, 3, b".", 0),
    (437, -100, b"/etc/passwd", how, 24),
    (85, b"/tmp/hostile-creat", 0o600),
    (303, -100, b"/etc", handle, ctypes.byref(mount), 0),
    (304, 0, handle, 0),
    (428, -100, b"/", 0x1),
    (433, -100, b"/", 0),
):
    if libc.syscall(number, *arguments) >= 0:
        print("BREACH system call", number)
    print(number, ctypes.get_errno())
