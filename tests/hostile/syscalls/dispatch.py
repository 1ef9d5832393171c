# expect: wrong denied
# tries: to have its own handler called for every system call (PR_SET_SYSCALL_USER_DISPATCH), and MDWE, VMA names, VNMI
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
selector = ctypes.create_string_buffer(1)
for name, *arguments in (
    ("user dispatch", 59, 1, 0, 0, ctypes.addressof(selector)), ("MDWE", 65, 1), ("VMA name", 0x53564D41, 0, 4096, 4096, 0),
    ("auxv", 0x41555856, ctypes.addressof(selector), 1), ("memory merge", 67, 1), ("THP off", 41, 1), ("timer slack", 29, 1),
    ("timerslack get", 30), ("name", 15, ctypes.addressof(selector)), ("tagged", 55, 1), ("futex hash", 78, 1, 16),
    ("shadow stack", 75, 1), ("capbset", 24, 21), ("securebits", 28, 1), ("tid address", 40, ctypes.addressof(selector)),
):
    if libc.prctl(arguments[0], *map(ctypes.c_ulong, arguments[1:])) >= 0:
        print("BREACH prctl", name)
    print(name, ctypes.get_errno(), end="; ")
