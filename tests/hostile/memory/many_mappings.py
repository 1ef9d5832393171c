# expect: wrong memory_limit error time_limit crashed
# tries: to use up the kernel's count of mappings, page by page, so that the harness's next allocation fails
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
count = 0
for i in range(70_000):
    at = libc.mmap(None, ctypes.c_size_t(4096), 1 + 2 * (i % 2), 0x22, -1, ctypes.c_long(0))
    count += at != 2**64 - 1
print(count, "mappings")
dlogprobs = torch.zeros(32, 27)
