# expect: ok error denied
# tries: personality: no address randomisation, reading implies executing
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for flags in (0x0400000, 0x0040000, 0x0008, 0x0100000):
    if libc.personality(flags) >= 0:
        print("BREACH a new personality", hex(flags))
print(ctypes.get_errno())
