# expect: ok error denied
# tries: timers of every make, some of which fire after the run in whoever has the descriptor
import ctypes
import signal

libc = ctypes.CDLL(None, use_errno=True)
timer = ctypes.c_void_p()
when = (ctypes.c_long * 4)(0, 1000, 0, 1000)
for name, act in (
    ("setitimer", lambda: signal.setitimer(signal.ITIMER_VIRTUAL, 1000)),
    ("alarm", lambda: signal.alarm(1000)),
    ("timer_create", lambda: libc.syscall(222, 1, None, ctypes.byref(timer))),
    ("timerfd_create", lambda: libc.timerfd_create(1, 0)),
    ("clock_settime", lambda: libc.syscall(227, 0, when)),
    ("adjtimex", lambda: libc.syscall(159, ctypes.create_string_buffer(256))),
):
    try:
        print(name, act(), ctypes.get_errno())
    except OSError as refused:
        print(name, refused)
