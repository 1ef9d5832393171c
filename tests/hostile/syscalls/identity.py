# expect: ok error denied
# tries: to become somebody else: set*id, groups, capabilities, and the root that a container may leave it
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
for name, act in (
    ("setuid", lambda: os.setuid(65534)),
    ("setresuid", lambda: os.setresuid(1, 1, 1)),
    ("setgid", lambda: os.setgid(1)),
    ("setgroups", lambda: os.setgroups([1])),
    ("initgroups", lambda: os.initgroups("root", 0)),
    ("capset", lambda: libc.capset(header, sets) == 0 or 1 / 0),
    ("setfsuid", lambda: (libc.syscall(122, 12345), libc.syscall(122, -1))[1] == 12345 or 1 / 0),
):
    try:
        act()
        print("BREACH", name)
    except (OSError, ZeroDivisionError) as refused:
        print(name, refused)
