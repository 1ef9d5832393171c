# expect: crashed error wrong denied time_limit memory_limit
# tries: to corrupt the interpreter itself: a small integer, None's reference count, a type's method table
import ctypes

ctypes.c_ssize_t.from_address(id(None)).value = 1
ctypes.c_uint32.from_address(id(0) + 24).value = 7
ctypes.c_uint32.from_address(id(1) + 24).value = 0
ctypes.memset(id(bytes) + 48, 0, 64)
print(len(b"x" * 1))
