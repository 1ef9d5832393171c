# expect: time_limit denied
# tries: raw futexes: the exotic commands first, then to wait for ever on the memory it shares with the parent
import ctypes
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
word = ctypes.c_void_p(frame.f_locals["writer"]._address + 64)
libc = ctypes.CDLL(None, use_errno=True)
value = ctypes.c_uint32.from_address(word.value).value
for command in (2, 3, 4, 5, 6, 7, 8, 11, 12, 13):
    print(command, libc.syscall(202, word, command, 1, None, word, 0), ctypes.get_errno(), end="; ")
libc.syscall(202, word, 0x80, value, None, None, 0)
while True:
    pass
