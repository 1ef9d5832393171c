# expect: ok error denied
# tries: namespaces of its own, where an unprivileged process is root
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
kinds = (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x4000000, 0x8000000, 0x2000000, 0x80)
for flags in (*kinds, 0x10020000, 0x200, 0x400, 0x40000):
    if libc.unshare(flags) == 0:
        print("BREACH unshare", hex(flags))
for descriptor in range(64):
    if libc.setns(descriptor, 0) == 0:
        print("BREACH setns", descriptor)
print(ctypes.get_errno())
