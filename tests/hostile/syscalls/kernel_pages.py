# expect: crashed ok error denied
# tries: the old vsyscall page, which is entered without a system call instruction
import ctypes

room = (ctypes.c_long * 4)()
kind = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
print("gettimeofday", kind(0xFFFFFFFFFF600000)(ctypes.addressof(room), None))
print("getcpu", kind(0xFFFFFFFFFF600800)(ctypes.addressof(room), None))
