# expect: wrong crashed error
# tries: exit codes beyond eight bits, of which the kernel and the listener might keep different parts
import ctypes
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
frame.f_locals["writer"].finish(sys.modules["grader.sandbox.job"].RunStatus.ERROR, "", ())
libc = ctypes.CDLL(None)
libc.syscall(231, ctypes.c_long(0x7FFFFFFF00000100))
libc.syscall(231, ctypes.c_long(-256))
