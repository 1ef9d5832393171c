# expect: time_limit
# tries: sleeps of every clock that is left, until a time far away, and again after each refusal
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for clock in (1, 0, 7, 8, 9, 11, 2, 3):
    for flags in (1, 0):
        print(clock, libc.clock_nanosleep(clock, flags, (ctypes.c_long * 2)(2**40, 0), None), flush=True)
while True:
    pass
