# expect: wrong error crashed
# tries: to run the rehearsal after its own code, so that the harness's answers stand where its own belong
import sys

child = sys.modules["grader.sandbox.child"]
frame = sys._getframe()
while "rehearsal" not in frame.f_locals:
    frame = frame.f_back
for _ in range(3):
    child._play(frame.f_locals["rehearsal"], frame.f_locals["writer"])
print("rehearsed")
