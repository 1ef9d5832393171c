# expect: ok error denied
# tries: the socket calls below Python, and the calls on descriptors that are already there
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
pair = (ctypes.c_int * 2)()
address = ctypes.create_string_buffer(b"\x02\x00\x1f\x90\x7f\x00\x00\x01" + bytes(8))
for family in (1, 2, 10, 16, 17, 38, 40):
    if libc.socket(family, 1, 0) >= 0 or libc.socket(family, 3, 0) >= 0:
        print("BREACH a socket of family", family)
if libc.socketpair(1, 1, 0, pair) == 0:
    print("BREACH a pair of sockets")
for descriptor in range(64):
    for name in ("bind", "connect"):
        if getattr(libc, name)(descriptor, address, 16) == 0:
            print("BREACH", name, descriptor)
    if libc.listen(descriptor, 1) == 0 or libc.accept(descriptor, None, None) >= 0:
        print("BREACH listening on", descriptor)
