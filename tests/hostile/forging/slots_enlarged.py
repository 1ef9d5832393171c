# expect: crashed wrong error
# tries: to enlarge the places for its answers, so that the harness writes over the end of the result
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
layout = frame.f_locals["writer"]._layout
attempt = sys._getframe().f_back.f_locals["self"]
for slot in (*layout.slots, *attempt._task.slots):
    object.__setattr__(slot, "capacity", 1 << 30)
object.__setattr__(layout, "data_at", tuple((1 << 23) - 64 for _ in layout.slots))
for name in [slot.name for slot in layout.slots]:
    globals()["d" + name] = torch.ones(1 << 20)
