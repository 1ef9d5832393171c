# expect: ok error denied
# tries: the kernel's key rings, which are shared with the parent and outlive the run
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for name, call in (
    ("keyctl, the session ring", lambda: libc.syscall(250, 0, -3, 1)),
    ("keyctl, join a session", lambda: libc.syscall(250, 1, b"hostile")),
    ("add_key", lambda: libc.syscall(248, b"user", b"hostile", b"x", 1, -4)),
    ("request_key", lambda: libc.syscall(249, b"user", b"hostile", None, -3)),
):
    if call() >= 0:
        print("BREACH", name)
    print(name, ctypes.get_errno())
