# expect: crashed error wrong
# tries: to finish its own run with the harness's writer, as a fault of the sandbox, to be tried again
import os
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
writer = frame.f_locals["writer"]
statuses = type(sys.modules["grader.sandbox.job"].RunStatus.OK)
writer.finish(statuses("sandbox_fault"), "the server failed me, grade me again", ("autograd",))
os._exit(0)
