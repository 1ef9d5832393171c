# expect: ok error denied
# tries: to take the machine's time from others: priorities, real time, affinity
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for name, act in (
    ("nice", lambda: os.nice(-20)),
    ("setpriority of the parent", lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)),
    ("real time", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))),
    ("affinity of the parent", lambda: os.sched_setaffinity(os.getppid(), {0})),
    ("ioprio_set", lambda: libc.syscall(251, 1, 0, 0x2000) == 0 or 1 / 0),
    ("sched_setattr", lambda: libc.syscall(314, 0, (ctypes.c_uint32 * 14)(56, 1), 0) + 1 or 1 / 0),
):
    try:
        act()
        print("BREACH", name)
    except (OSError, ZeroDivisionError) as refused:
        print(name, refused)
