# expect: wrong error denied
# tries: to leave a mark for a later run wherever something could stay, and looks for such a mark itself
import builtins
import ctypes
import os
import sys

libc = ctypes.CDLL(None)
places = (builtins, sys, os, torch, torch.nn.functional, torch.Tensor, __import__("grader").__class__)
for place in places:
    if getattr(place, "hostile_mark", None):
        print("BREACH the mark of an earlier run in", place)
    try:
        place.hostile_mark = logits
    except TypeError:
        pass
if "HOSTILE" in os.environ or "hostile" in sys.modules:
    print("BREACH the mark of an earlier run in the environment or the modules")
os.environ["HOSTILE"] = sys.modules["hostile"] = "1"
libc.setenv(b"HOSTILE", b"1", 1)
address = id(torch.Tensor) + 24
ctypes.c_char_p.from_address(address).value
print("left marks; shared with a later run only if the zygote itself runs code")
