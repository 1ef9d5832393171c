# expect: wrong error crashed
# tries: an attempt within an attempt: the harness's class, run by the student with slots and a source of its own
import sys

child, job = sys.modules["grader.sandbox.child"], sys.modules["grader.sandbox.job"]
frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
limits = sys.modules["grader.sandbox.limits"].Limits(stdout_bytes=2**30, output_bytes=2**40)
slots = tuple(job.Slot(name, 2**20) for name in ("logprobs", "probs", "counts"))
state = frame.f_locals["task"].state
task = sys.modules["grader.sandbox.protocol"].Task("dlogprobs = logprobs\nprint('x' * 2**26)", "inner.py", state, slots, limits)
child.Attempt(task, frame.f_locals["writer"]).run()
