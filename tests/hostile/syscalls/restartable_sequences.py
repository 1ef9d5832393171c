# expect: wrong crashed time_limit error
# tries: the kernel's own hands: glibc's rseq area with a descriptor that is none, followed at the next preemption
import ctypes
import time

libc = ctypes.CDLL(None, use_errno=True)
print("rseq", libc.syscall(334, 0, 0, 0, 0), "membarrier", libc.syscall(324, 0, 0, 0), ctypes.get_errno())
offset, size = (ctypes.c_long.in_dll(libc, "__rseq_offset").value, ctypes.c_uint.in_dll(libc, "__rseq_size").value)
libc.pthread_self.restype = ctypes.c_void_p
area = libc.pthread_self() + offset
print("size", size, "cpu", ctypes.c_uint.from_address(area).value)
ctypes.c_uint64.from_address(area + 8).value = 0x1000
end = time.time() + 1
while time.time() < end:
    time.sleep(0)
