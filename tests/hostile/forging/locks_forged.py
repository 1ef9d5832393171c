# expect: crashed denied wrong error
# tries: to play a child that is only getting ready: to lock in again, to report other locks, to take another job
import sys

child, jail = sys.modules["grader.sandbox.child"], sys.modules["grader.sandbox.jail"]
frame = sys._getframe()
while "locks" not in frame.f_locals:
    frame = frame.f_back
locks, report = (frame.f_locals[name] for name in ("locks", "report"))
for act in (
    lambda: jail.kernel.make(jail.privileges()),
    lambda: jail.kernel.make(locks.after),
    lambda: report.ready(511, None),
    lambda: child.receive_job(child._read_exactly, child._load_state),
    lambda: jail.lock_in(locks),
    lambda: report.fail(),
):
    try:
        print("BREACH", act())
    except OSError as refused:
        print(refused)
