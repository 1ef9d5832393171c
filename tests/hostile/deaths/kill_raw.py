# expect: ok denied error
# tries: signals to the parent by every system call that sends one
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
information = ctypes.create_string_buffer(128)
try:
    parent = os.getppid()
except OSError:
    parent = 1
for name, arguments in (
    ("kill", (62, parent, 0)),
    ("tkill", (200, parent, 0)),
    ("tgkill", (234, parent, parent, 0)),
    ("rt_sigqueueinfo", (129, parent, 0, information)),
    ("rt_tgsigqueueinfo", (297, parent, parent, 0, information)),
    ("pidfd_open", (434, parent, 0)),
):
    if libc.syscall(*arguments) >= 0:
        print("BREACH", name, "reached the parent")
    print(name, ctypes.get_errno())
