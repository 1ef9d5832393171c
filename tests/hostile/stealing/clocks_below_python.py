# expect: wrong denied
# tries: the same clocks by raw calls: the time of another process, a wait for it, and clocks of descriptors
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
room, now = (ctypes.c_long * 2)(), (ctypes.c_long * 2)(0, 1)
for clock in ((~1 << 3) | 2, (~1 << 3) | 6, (~0 << 3) | 3, (~1 << 3) | 3, (~2 << 3) | 3, 10, 11, 12, 16, 2**31 - 1):
    for name, number, arguments in (("gettime", 228, (room,)), ("getres", 229, (room,)), ("sleep", 230, (0, now, None))):
        result = libc.syscall(number, ctypes.c_long(clock), *arguments)
        if result == 0 and clock not in (11,):
            print("BREACH", name, "of the clock", clock)
        print(ctypes.get_errno(), end=" ")
