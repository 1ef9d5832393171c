# expect: ok error denied
# tries: perf_event_open, to sample other processes
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
attributes = ctypes.create_string_buffer(b"\x01\0\0\0\x80\0\0\0" + bytes(120))
for pid, cpu in ((0, -1), (-1, 0), (1, -1)):
    if libc.syscall(298, attributes, pid, cpu, -1, 0) >= 0:
        print("BREACH a performance counter on", pid)
print(ctypes.get_errno())
