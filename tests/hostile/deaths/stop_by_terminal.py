# expect: time_limit denied crashed ok error
# tries: the gentler stops: SIGTSTP, SIGTTIN, and SIGTTOU to its whole group
import os
import signal

for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
    for target in (os.getpid(), 0, -os.getpgrp()):
        try:
            os.kill(target, number)
        except OSError as refused:
            print(refused)
