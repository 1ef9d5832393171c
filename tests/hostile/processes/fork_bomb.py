# expect: ok error denied
# tries: to fork without end (sixty-four at most, should the wall be down) and to keep trying when refused
import os
import time

made = 0
for _ in range(64):
    try:
        child = os.fork()
    except OSError:
        continue
    if child == 0:
        time.sleep(1)
        os._exit(0)
    made += 1
if made:
    print("BREACH", made, "processes")
