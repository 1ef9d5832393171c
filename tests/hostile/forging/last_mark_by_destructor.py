# expect: error wrong crashed
# tries: the same by a destructor in the harness's own frame, which runs when its last local is dropped
import struct
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
buffer = frame.f_locals["writer"]._buffer


class Late:
    def __del__(self, unpack=struct.unpack_from, pack=struct.pack_into):
        pack("=III", buffer, 0, 0x600D, 0, 0)
        while True:
            pack("=III", buffer, 0, 0x600D, 0, 0)
            if unpack("=I", buffer)[0] == 0x600D:
                return


attempt = sys._getframe(1).f_locals["self"]
attempt._returned = {Late(): None}
attempt._late = Late()
raise SystemError("not ok", Late())
