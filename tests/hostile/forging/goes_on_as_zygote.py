# expect: crashed time_limit error wrong
# tries: to fall back into the zygote's loop, in a child, by taking away every way in which the harness leaves
import os
import sys

home = sys.modules["grader.sandbox.child"]
home._leave = os._exit = os.close = os.kill = sys.exit = lambda *a: None
sys.modules["grader.sandbox.kernel"].call = lambda *a: 0
frame = sys._getframe()
while frame and frame.f_code.co_name != "serve":
    frame = frame.f_back


def receive(control):
    print("the child is in the loop of the zygote")
    return None


if frame:
    frame.f_globals["_receive"] = receive
