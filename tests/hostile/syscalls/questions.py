# expect: wrong denied
# tries: calls that only ask: who, where, how much, how long, of itself and of the machine
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(8192)
for name, number, *arguments in (
    ("uname", 63, room), ("sysinfo", 99, room), ("getrusage", 98, -1, room), ("times", 100, room), ("getppid", 110),
    ("getpgid", 121, 1), ("getsid", 124, 1), ("getuid", 102), ("getgroups", 115, 64, room), ("getcpu", 309, room, room, 0),
    ("getpriority", 140, 0, 1), ("sched_getaffinity", 204, 1, 128, room), ("get_mempolicy", 239, room, 0, 0, 0, 0),
    ("sched_getattr", 315, 1, room, 48, 0), ("ioprio_get", 252, 1, 1), ("sysfs", 139, 3), ("ustat", 136, 1, room),
    ("get_robust_list", 274, 1, room, room), ("sched_rr_get_interval", 148, 1, room), ("wait4", 61, -1, room, 1, room),
):
    if libc.syscall(number, *arguments) >= 0:
        print("BREACH", name)
    print(name, ctypes.get_errno(), end="; ")
