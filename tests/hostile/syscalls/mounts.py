# expect: ok error denied
# tries: to mount, by the old calls and the new
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for name, call in (
    ("mount", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
    ("umount2", lambda: libc.umount2(b"/hostile-none", 2)),
    ("fsopen", lambda: libc.syscall(430, b"tmpfs", 0)),
    ("fsmount", lambda: libc.syscall(432, 0, 0, 0)),
    ("open_tree", lambda: libc.syscall(428, -100, b"/", 1)),
    ("move_mount", lambda: libc.syscall(429, -100, b"/", -100, b"/tmp", 0)),
    ("mount_setattr", lambda: libc.syscall(442, -100, b"/", 0, None, 0)),
    ("swapon", lambda: libc.swapon(b"/hostile-none", 0)),
):
    if call() >= 0:
        print("BREACH", name)
    print(name, ctypes.get_errno())
