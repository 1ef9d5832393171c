# expect: ok error denied
# tries: vmsplice, splice, tee, sendfile, copy_file_range between the descriptors it was left with
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(b"x" * 64)
vector = (ctypes.c_uint64 * 2)(ctypes.addressof(room), 64)
for a in range(16):
    if libc.vmsplice(a, vector, 1, 0) >= 0:
        print("BREACH vmsplice", a)
    for b in range(16):
        for name in ("splice", "copy_file_range"):
            if getattr(libc, name)(a, None, b, None, 64, 0) > 0:
                print("BREACH", name, a, b)
        if libc.tee(a, b, 64, 0) > 0 or libc.sendfile(b, a, None, 64) > 0:
            print("BREACH tee or sendfile", a, b)
