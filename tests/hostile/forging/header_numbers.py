# expect: crashed error wrong
# tries: a header with the last mark and with every number as large as it can be
import ctypes
import os
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
address = frame.f_locals["writer"]._address
ctypes.memset(address, 0xFF, 1 << 16)
(ctypes.c_uint32 * 5).from_address(address)[:] = [0x600D, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF]
os._exit(0)
