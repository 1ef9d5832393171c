# expect: error wrong
# tries: to fail, and to turn "error" into "ok" after the last mark: by the collector, by weak references, by traces
import gc
import struct
import sys
import weakref

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
buffer = frame.f_locals["writer"]._buffer


def forge(*ignored):
    if struct.unpack_from("=I", buffer)[0] == 0x600D:
        struct.pack_into("=III", buffer, 0, 0x600D, 0, 0)
    return forge


class Watched:
    pass


gc.callbacks.append(forge)
gc.set_threshold(1, 1, 1)
keep = [Watched() for _ in range(100)]
for each in keep:
    weakref.finalize(each, forge)
sys.settrace(forge), sys.setprofile(forge)
frame.f_trace = forge
1 / 0
