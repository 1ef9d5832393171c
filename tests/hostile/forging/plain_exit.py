# expect: wrong crashed error
# tries: a finished result and the plain `exit` of a thread, which the listener at the door is not told of
import ctypes
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
frame.f_locals["writer"].finish(sys.modules["grader.sandbox.job"].RunStatus.OK, "", ())
ctypes.CDLL(None).syscall(60, 0)
