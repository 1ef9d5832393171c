# expect: ok error denied
# tries: fork, vfork, clone and clone3 as raw system calls
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
arguments = (ctypes.c_uint64 * 11)()
arguments[4] = 17  # exit_signal SIGCHLD
for name, call in (
    ("fork", lambda: libc.syscall(57)),
    ("clone", lambda: libc.syscall(56, 17, 0, 0, 0, 0)),
    ("clone3", lambda: libc.syscall(435, ctypes.byref(arguments), 88)),
    ("clone into a new user namespace", lambda: libc.syscall(56, 17 | 0x10000000, 0, 0, 0, 0)),
):
    made = call()
    if made == 0:
        os._exit(0)
    print(name, made, ctypes.get_errno())
    if made > 0:
        print("BREACH", name)
