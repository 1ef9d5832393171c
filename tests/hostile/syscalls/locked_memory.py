# expect: ok error denied memory_limit
# tries: to pin memory, so that the machine cannot swap it: mlock, mlockall, mlock2, MAP_LOCKED
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for name, call in (
    ("mlockall", lambda: libc.mlockall(3)),
    ("mlock", lambda: libc.mlock(ctypes.create_string_buffer(1 << 20), 1 << 20)),
    ("mlock2", lambda: libc.syscall(325, ctypes.create_string_buffer(1 << 20), 1 << 20, 1)),
):
    if call() == 0:
        print("BREACH", name)
    print(name, ctypes.get_errno())
