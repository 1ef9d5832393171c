# expect: memory_limit crashed error wrong
# tries: to give back the address space of a library and to fill it with memory of its own
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
new = ctypes.c_void_p.from_address(id(torch._C.TensorBase) + 312).value & ~0xFFFFF
given = 0
for i in range(1, 9):
    given += libc.munmap(ctypes.c_void_p(new + (i << 20)), ctypes.c_size_t(1 << 20)) == 0
hoard = []
try:
    while len(hoard) < 1024:
        hoard.append(b"\xff" * (1 << 20))
finally:
    print("gave back", given, "MB and holds", len(hoard), "MB")
    if len(hoard) > 600:
        print("BREACH more memory than is allowed")
