# expect: time_limit denied ok
# tries: every way of waiting in turn, in case one of them is not bounded by the wall clock
import select
import signal
import threading

for wait in (
    lambda: select.select([], [], [], 1000),
    lambda: select.poll().poll(1000_000),
    lambda: threading.Event().wait(1000),
    lambda: signal.sigwait({signal.SIGUSR1}),
    lambda: signal.pause(),
):
    try:
        wait()
        print("a wait ended early")
    except BaseException as refused:
        print(type(refused).__name__)
