# expect: ok denied error
# tries: a signal to every process there is (SIGCONT, harmless should it arrive), its group and its parent
import os
import signal

for target in (-1, 0, os.getppid(), 1, -os.getpgrp()):
    for number in (0, signal.SIGCONT):
        try:
            os.kill(target, number)
            if target not in (0, -os.getpgrp()):
                print("BREACH a signal reached", target)
        except OSError as refused:
            print(target, refused)
