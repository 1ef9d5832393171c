# expect: time_limit
# tries: to stay below the limit of processor time by sleeping between short bursts, for ever
import time

while True:
    end = time.perf_counter() + 0.001
    while time.perf_counter() < end:
        pass
    time.sleep(0.01)
