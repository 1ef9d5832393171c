# expect: wrong
# tries: to list processes, and to time the trusted ones, by clocks whose number is a process's
import time

for pid in (1, 2, *range(100, 40_000, 7)):
    for kind in (0, 1, 2, 6):
        for ask in (time.clock_gettime, time.clock_getres):
            try:
                print("BREACH process", pid, "has used", ask((~pid << 3) | kind))
            except OSError:
                pass
print("asked")
