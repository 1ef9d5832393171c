# expect: wrong denied
# tries: every call about signals but those that send one: handlers, masks, stacks, waiting, descriptors of them
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(256)
at, soon = ctypes.addressof(room), ctypes.addressof((ctypes.c_long * 2)(0, 1000))
for name, number, *arguments in (
    ("sigaction", 13, 31, at, 0, 8), ("sigaction get", 13, 31, 0, at, 8), ("sigprocmask", 14, 0, at, at, 8),
    ("sigaltstack", 131, at, 0), ("sigpending", 127, at, 8), ("sigtimedwait", 128, at, at, soon, 8), ("sigsuspend", 130, at, 8),
    ("signalfd4", 289, -1, at, 8, 0), ("pause", 34), ("ppoll", 271, 0, 0, soon, at, 8), ("epoll_pwait", 281, 0, at, 1, 0, at, 8),
    ("pselect6", 270, 0, 0, 0, 0, soon, 0), ("rt_sigqueueinfo", 129, 1, 0, at), ("tgsigqueueinfo", 297, 1, 1, 0, at),
):
    if libc.syscall(number, *map(ctypes.c_long, arguments)) >= 0:
        print("BREACH", name)
    print(name, ctypes.get_errno(), end="; ")
