# expect: wrong
# tries: to hear from a run beside it, and to wake it, by a futex on a library's page, which all processes share
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
address = ctypes.c_void_p(ctypes.cast(libc.getpid, ctypes.c_void_p).value & ~3)
word = ctypes.c_uint.from_address(address.value).value
soon = (ctypes.c_long * 2)(0, 1000)
for name, command, third, fourth in (
    ("wait", 0, word, soon), ("wake", 1, 1, None), ("wait for bits", 9, word, soon), ("wake bits", 10, 1, None),
    ("wait by the wall clock", 0x100 | 9, word, soon), ("a high bit", 1 << 31, word, soon),
):
    libc.syscall(202, address, command, third, fourth, None, -1)
    if ctypes.get_errno() not in (1, 38):
        print("BREACH futex:", name, "was heard, errno", ctypes.get_errno())
print("private ones work:", libc.syscall(202, address, 0x81, 1, None, None, 0))
