# expect: wrong crashed error denied
# tries: the writes that the kernel makes for the dead: the list of robust futexes, the address of its thread's number
import ctypes
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
header = frame.f_locals["writer"]._address
libc = ctypes.CDLL(None, use_errno=True)
libc.pthread_self.restype = ctypes.c_void_p
print("set_robust_list", libc.syscall(273, ctypes.c_void_p(header), 24), ctypes.get_errno())
print("set_tid_address", libc.syscall(218, ctypes.c_void_p(header)), ctypes.get_errno())
me = libc.pthread_self()
for at in range(me + 640, me + 2304, 8):  # glibc's own list points to itself while it is empty
    if ctypes.c_uint64.from_address(at).value == at:
        node = (ctypes.c_uint64 * 2)(at, 0)
        ctypes.c_uint64.from_address(at).value = ctypes.addressof(node)
        ctypes.c_int64.from_address(at + 8).value = header - ctypes.addressof(node)
        ctypes.c_uint.from_address(header + 2048).value = libc.getpid()
        print("a list at", at - me)
frame.f_locals["writer"].finish(sys.modules["grader.sandbox.job"].RunStatus.OK, "", ())
libc.syscall(60, 0)
