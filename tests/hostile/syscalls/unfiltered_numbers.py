# expect: crashed ok error denied
# tries: uprobe and uretprobe, which recent kernels let past every filter
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(336), ctypes.get_errno())
print(libc.syscall(335), ctypes.get_errno())
