# expect: crashed
# tries: to be taken for finished by the last mark, although it then dies of a signal
import ctypes
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
frame.f_locals["writer"].finish(sys.modules["grader.sandbox.job"].RunStatus.OK, "", ())
ctypes.string_at(0)
