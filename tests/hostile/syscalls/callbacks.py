# expect: ok error denied crashed memory_limit
# tries: ctypes callbacks, for which libffi looks for executable memory by every trick it knows
import ctypes

kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
keep = [kind(lambda a, b: 0) for _ in range(3000)]
values = (ctypes.c_int * 8)(*range(8))
ctypes.CDLL(None).qsort(values, 8, 4, keep[-1])
print("callbacks work, by trampolines that were mapped before")
