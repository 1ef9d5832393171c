# expect: wrong error denied crashed memory_limit output_limit
# tries: to claim for itself that the sandbox failed, a status that is none, and every flag there could be
import os
import struct
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
buffer = frame.f_locals["writer"]._buffer
for status in (7, 8, 255, 2**31, 2**32 - 1, 4):
    struct.pack_into("=IIIII", buffer, 0, 0x600D, status, 2**32 - 1, 2**32 - 1, 2**32 - 1)
os._exit(0)
