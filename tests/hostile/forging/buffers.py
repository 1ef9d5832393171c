# expect: wrong crashed error denied
# tries: to find the result buffer as a mapping or memoryview and to fill it with "finished, all well"
import gc
import mmap

gc.unfreeze()
found = [o for o in gc.get_objects() if isinstance(o, (memoryview, mmap.mmap, bytearray))]
for holder in gc.get_objects():
    if type(holder) in (dict, list, tuple):
        inside = holder.values() if type(holder) is dict else holder
        found += [v for v in inside if isinstance(v, (memoryview, mmap.mmap, bytearray)) and len(v) > 4096]
for buffer in found:
    try:
        size = len(buffer)
        print(type(buffer).__name__, size)
        for at in range(0, min(size, 1 << 16), 8):
            buffer[at : at + 8] = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    except (TypeError, ValueError, BufferError) as refused:
        print(refused)
