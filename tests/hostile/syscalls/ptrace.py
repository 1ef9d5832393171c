# expect: ok error denied
# tries: to trace its parent, or to ask to be traced by it
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for request, pid in ((16, os.getppid()), (0x4206, os.getppid()), (0, 0)):  # ATTACH, SEIZE, TRACEME
    if libc.ptrace(request, pid, None, None) == 0:
        print("BREACH ptrace", request)
print(ctypes.get_errno())
