# expect: crashed denied wrong error
# tries: to play a child that is only getting ready: to lock in again, to report other locks, to take another job
import sys

child, jail = sys.modules["grader.sandbox.child"], sys.modules["grader.sandbox.jail"]
frame = sys._getframe()
while "walls" not in frame.f_locals:
    frame = frame.f_back
walls, limits, zygote = (frame.f_locals[name] for name in ("walls", "limits", "zygote"))
for act in (
    lambda: jail.drop_privileges(),
    lambda: jail._rlimits(limits),
    lambda: child._report_ready(frame.f_locals["channel"], jail.Layer(511), None),
    lambda: child.receive_job(child._read_into),
    lambda: jail.lock_in(walls, limits, zygote),
):
    try:
        print("BREACH", act())
    except OSError as refused:
        print(refused)
