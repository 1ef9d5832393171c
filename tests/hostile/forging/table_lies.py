# expect: wrong crashed error
# tries: a table of answers with shapes that overflow, in a result that is marked as finished
import ctypes
import os
import struct
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
address = frame.f_locals["writer"]._address
odd = [0, 1, 2, 27, 1 << 31, 1 << 32, 1 << 62, 1 << 63, (1 << 64) - 1]
entry = struct.Struct("=BBBxIQ8Q24s152s")
for i in range(128):
    shape = [odd[(i + 3 * k) % len(odd)] for k in range(8)]
    length = (0, 4, 3456, 1 << 63)[i % 4]
    lie = entry.pack(1, i % 12, i % 10, 0xFFFFFFFF, length, *shape, b"float32", b"\xff" * 152)
    ctypes.memmove(address + 64 + i * entry.size, lie, entry.size)
(ctypes.c_uint32 * 5).from_address(address)[:] = [0x600D, 0, 0, 0, 0]
os._exit(0)
