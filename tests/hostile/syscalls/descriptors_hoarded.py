# expect: wrong denied
# tries: to use up the kernel's tables with things that are no files: events, timers, watches, polls, pidfds, pipes
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
calls = {
    "eventfd2": (290, 0, 0), "timerfd_create": (283, 1, 0), "epoll_create1": (291, 0), "inotify_init1": (294, 0),
    "pidfd_open": (434, os.getpid(), 0), "pipe2": (293, ctypes.create_string_buffer(8), 0), "signalfd": (282, -1, 0, 8),
    "memfd_create": (319, b"x", 0), "socketpair": (53, 1, 1, 0, ctypes.create_string_buffer(8)), "dup": (32, 0),
    "mq_open": (240, b"x", 66, 438, 0), "eventfd": (284, 0), "epoll_create": (213, 1), "timer_create": (222, 1, 0, 0),
}
for _ in range(500):
    for name, (number, *arguments) in calls.items():
        if libc.syscall(number, *arguments) >= 0:
            print("BREACH", name)
print("none")
