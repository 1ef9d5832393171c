# expect: wrong crashed error
# tries: to leave by exit_group again and again, should the listener ever let go, and to live on after it
import ctypes
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
frame.f_locals["writer"].finish(sys.modules["grader.sandbox.job"].RunStatus.OK, "", ())
libc = ctypes.CDLL(None)
for _ in range(1000):
    libc.syscall(231, 0)
    frame.f_locals["writer"].print(b"BREACH it lives on after its last call\n")
libc.syscall(60, 0)
