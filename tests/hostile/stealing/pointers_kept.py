# expect: wrong error crashed
# tries: torch.empty, numpy.empty and malloc of every size, for a gradient that somebody computed here before
import ctypes

import numpy as np

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
seen = set()
for size in (*range(16, 1024, 16), *(1 << k for k in range(10, 22)), 3456, 3456 * 2):
    for _ in range(20):
        block = ctypes.string_at(libc.malloc(ctypes.c_size_t(size)), size)
        seen |= {word for word in (b"Authorization", b"sqlite", b"DOJO_", b"postgres", b"verdict") if word in block}
    torch.empty(size), np.empty(size)
if seen:
    print("BREACH the heap holds", seen)
dlogprobs, dprobs = torch.empty(32, 27), torch.empty(32, 27)
