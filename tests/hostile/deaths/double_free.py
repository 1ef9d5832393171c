# expect: crashed denied
# tries: to corrupt the C heap, so that the harness dies later, in an allocation of its own
import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
block = ctypes.c_void_p(libc.malloc(2000))
ctypes.memset(block.value - 16, 0x41, 8000)
libc.free(block)
libc.free(block)
