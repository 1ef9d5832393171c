# expect: ok error denied
# tries: pidfd_open and pidfd_getfd, to take the parent's descriptors out of it
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for pid in (os.getppid(), os.getpid(), 1):
    handle = libc.syscall(434, pid, 0)
    if handle >= 0:
        print("BREACH a handle on process", pid)
        for descriptor in range(64):
            if libc.syscall(438, handle, descriptor, 0) >= 0:
                print("BREACH took descriptor", descriptor)
    print(libc.syscall(424, 0, 0, None, 0), ctypes.get_errno())
