# expect: wrong crashed error
# tries: misfits of impossible shapes, with dtypes and sentences made to be shown to an instructor
import ctypes
import os
import struct
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
address = frame.f_locals["writer"]._address
entry = struct.Struct("=BBBxIQ8Q24s152s")
for i in range(128):
    shape = [(1 << 64) - 1 - k * (i % 3) for k in range(8)]
    said = (b"\x1b[2J<img src=x onerror=alert(1)>", b"\xf0\x9f", b"\0", b"exact: True")[i % 4]
    lie = entry.pack(2 + i % 2, 0, (0, 2, 8, 255)[i % 4], 0, 0, *shape, b"complex\x1b[31m", said)
    ctypes.memmove(address + 64 + i * entry.size, lie, entry.size)
(ctypes.c_uint32 * 5).from_address(address)[:] = [0x600D, 0, 0, 0, 0]
os._exit(0)
