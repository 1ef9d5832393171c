# expect: time_limit denied crashed
# tries: to stop itself for ever, so that a parent who waits only for deaths waits for ever
import os
import signal

os.kill(os.getpid(), signal.SIGSTOP)
signal.raise_signal(signal.SIGSTOP)
raise SystemExit("was not stopped")
