# expect: crashed denied time_limit ok error
# tries: to send itself the signals that tell the parent of a limit or of a forbidden call
import os
import signal

for number in (signal.SIGXCPU, signal.SIGSYS, signal.SIGXFSZ, signal.SIGTRAP, signal.SIGBUS, signal.SIGALRM):
    try:
        signal.raise_signal(number)
        os.kill(os.getpid(), number)
    except OSError as refused:
        print(number, refused)
