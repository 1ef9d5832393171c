# expect: wrong crashed error denied
# tries: a tensor over memory that is unmapped when the harness copies it out
import ctypes

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
address = libc.mmap(None, ctypes.c_size_t(1 << 16), 3, 0x22, -1, ctypes.c_long(0))
block = (ctypes.c_float * 864).from_address(address)
dlogprobs = torch.frombuffer(block, dtype=torch.float32).view(32, 27)
dprobs = dlogprobs.T.T
libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(1 << 16))
