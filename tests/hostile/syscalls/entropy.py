# expect: wrong crashed time_limit error
# tries: getrandom with sizes, flags and addresses that are none, and from the blocking pool for ever
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(1 << 20)
for at, size, flags in ((0, 8, 0), (-4096, 8, 0), (ctypes.addressof(room), 2**40, 0), (ctypes.addressof(room), 1 << 20, 7)):
    print(libc.syscall(318, ctypes.c_long(at), ctypes.c_long(size), flags), ctypes.get_errno(), end="; ")
while True:
    libc.syscall(318, room, ctypes.c_long(1 << 20), 2)
