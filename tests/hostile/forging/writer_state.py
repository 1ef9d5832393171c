# expect: crashed wrong error
# tries: to have the harness write elsewhere: its address, its count of bytes, its layout, by attributes and memory
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
writer = frame.f_locals["writer"]
writer._printed = -(2**40)
print("to the left of it")
writer._printed = 2**40
print("to the right of it")
writer._address = id(writer)
object.__setattr__(writer._layout, "data_at", tuple(-8 * i for i in range(26)))
dlogprobs = dprobs = logprobs
