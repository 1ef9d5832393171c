# expect: ok error denied
# tries: channels that are no sockets: pipes, eventfd, signalfd, timerfd, epoll, message queues
import ctypes
import os
import select

libc = ctypes.CDLL(None, use_errno=True)
for name, act in (
    ("pipe", os.pipe),
    ("eventfd", lambda: os.eventfd(0)),
    ("epoll", select.epoll),
    ("dup", lambda: os.dup(0)),
):
    try:
        print("got", name, act())
    except OSError as refused:
        print(name, refused)
queue = libc.syscall(240, b"hostile", 0o102, 0o600, None)  # mq_open, O_CREAT | O_RDWR
if queue >= 0:
    libc.syscall(241, b"hostile")
    print("BREACH a POSIX message queue, which outlives the run")
