# expect: ok error denied
# tries: io_uring, which opens and connects without the system calls that a filter sees
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
parameters = ctypes.create_string_buffer(120)
if libc.syscall(425, 8, parameters) >= 0:
    print("BREACH a ring")
libc.syscall(426, 0, 1, 1, 0, None)
libc.syscall(427, 0, 0, None, 0)
print(ctypes.get_errno())
