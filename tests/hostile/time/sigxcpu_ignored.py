# expect: time_limit denied
# tries: to outlive the processor limit by ignoring every signal that can be ignored
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    pass
