# expect: time_limit denied
# tries: to stop or lengthen the timers that its parent may have set before it ran
import ctypes
import signal

libc = ctypes.CDLL(None)
for stop in (
    lambda: signal.setitimer(signal.ITIMER_REAL, 0),
    lambda: signal.setitimer(signal.ITIMER_PROF, 0),
    lambda: signal.alarm(0),
    lambda: libc.timer_delete(0),
):
    try:
        stop()
    except OSError as refused:
        print(refused)
while True:
    pass
