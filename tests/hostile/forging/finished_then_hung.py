# expect: time_limit
# tries: to be taken for finished by the last mark, although it goes on for ever
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
frame.f_locals["writer"].finish(sys.modules["grader.sandbox.job"].RunStatus.OK, "", ())
while True:
    pass
