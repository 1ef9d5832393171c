# expect: ok error denied
# tries: to lay a filter of its own over the sandbox's: a listener, and one that returns zero to all it asks
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
lie = (ctypes.c_uint64 * 1)(0x0005000000000006)  # ret ERRNO(0): every call succeeds and does nothing
program = (ctypes.c_uint64 * 2)(1, ctypes.addressof(lie))
for operation, flags in ((1, 0), (1, 8), (1, 1), (0, 0), (3, 0)):
    if libc.syscall(317, operation, flags, program) >= 0:
        print("BREACH seccomp", operation, flags)
if libc.prctl(22, 2, program) == 0:
    print("BREACH a filter by prctl")
print(ctypes.get_errno())
