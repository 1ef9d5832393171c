# expect: ok error denied
# tries: to leave a daemon: a new session, two forks, the parent gone
import os
import time

try:
    os.setsid()
    print("a session of its own")
except OSError as refused:
    print(refused)
first = os.fork()
if first == 0:
    if os.fork() == 0:
        time.sleep(2)
    os._exit(0)
print("BREACH left a daemon behind", first)
