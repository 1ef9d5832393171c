# expect: ok error denied
# tries: to load a program into the kernel
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
attributes = (ctypes.c_uint32 * 32)(2, 4, 8, 1)
for command in (0, 5, 28):  # make a map, load a program, make a link
    if libc.syscall(321, command, attributes, 128) >= 0:
        print("BREACH bpf", command)
print(ctypes.get_errno())
