# expect: crashed wrong error
# tries: to take the result's memory away and to put private memory in its place, so that nothing arrives
import ctypes
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
address = frame.f_locals["writer"]._address
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(1 << 20))
got = libc.mmap(ctypes.c_void_p(address), ctypes.c_size_t(1 << 20), 3, 0x22, -1, ctypes.c_long(0))
print("private memory at the same place:", got == address)
