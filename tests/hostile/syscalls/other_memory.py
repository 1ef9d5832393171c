# expect: ok error denied
# tries: to read and write the parent's memory: process_vm_readv, process_vm_writev, process_madvise, kcmp
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(64)
local = (ctypes.c_uint64 * 2)(ctypes.addressof(room), 64)
remote = (ctypes.c_uint64 * 2)(id(torch), 64)  # one fork: the parent has the same addresses
try:
    targets = [os.getppid(), 1]
except OSError:
    targets = [1, 2]
for pid in targets:
    for number in (310, 311):
        if libc.syscall(number, pid, local, 1, remote, 1, 0) >= 0:
            print("BREACH the memory of", pid)
    if libc.syscall(312, pid, pid, 0, 0, 0) >= 0 or libc.syscall(440, pid, remote, 1, 4, 0) >= 0:
        print("BREACH kcmp or process_madvise on", pid)
    print(ctypes.get_errno())
