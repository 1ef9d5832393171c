# expect: ok error denied
# tries: the next child, which waits under the same user, one process number away
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
room = (ctypes.c_uint64 * 16)()
me = os.getpid()
for other in [*range(me - 20, me), *range(me + 1, me + 20)]:
    for name, *arguments in (
        ("kill", 62, other, 0), ("prlimit64", 302, other, 9, None, room), ("getpgid", 121, other),
        ("sched_getaffinity", 204, other, 128, room), ("getpriority", 140, 0, other),
        ("pidfd_open", 434, other, 0), ("get_robust_list", 274, other, room, room),
        ("sched_setaffinity", 203, other, 8, room),
    ):
        if libc.syscall(*arguments) >= 0:
            print("BREACH", name, "reached process", other)
print("nobody there")
