# expect: wrong denied
# tries: Python objects that still believe in a closed descriptor: the result's mapping, poll, the bell, the signals
import mmap
import select
import signal
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
buffer = frame.f_locals["writer"]._buffer
for name, act in (
    ("size", buffer.size), ("resize", lambda: buffer.resize(1 << 20)), ("flush", buffer.flush),
    ("advice", lambda: buffer.madvise(mmap.MADV_REMOVE)), ("wake-up", lambda: signal.set_wakeup_fd(3)),
    ("poll", lambda: [e for e in select.poll().poll(0)]), ("select", lambda: select.select([0], [], [], 0)),
):
    try:
        print(name, act())
    except (OSError, ValueError, SystemError) as refused:
        print(name, refused)
