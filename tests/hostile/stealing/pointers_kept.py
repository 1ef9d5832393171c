# expect: wrong error crashed
# tries: torch.empty, numpy.empty and malloc of every size, for what somebody kept here before: secrets, verdicts
import ctypes

import numpy as np

# The words it looks for, each letter one further, so that its own source is not what it finds.
further = bytes((i + 1) % 256 for i in range(256))
words = (b"EPKP`", b"qptuhsftrm;00", b"Cfbsfs!")
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for size in (*range(16, 1024, 16), *(1 << k for k in range(10, 22)), 3456, 3456 * 2):
    for _ in range(20):
        block = ctypes.string_at(libc.malloc(ctypes.c_size_t(size)), size).translate(further)
        for word in words:
            if word in block:
                print("BREACH the heap holds", word)
    torch.empty(size), np.empty(size)
dlogprobs, dprobs = torch.empty(32, 27), torch.empty(32, 27)
