# expect: wrong crashed error denied time_limit output_limit memory_limit ok
# tries: to fill the result buffer with 0xff: lengths, counts and offsets as large as they can be
import gc
import mmap
import os

gc.unfreeze()
for holder in gc.get_objects():
    inside = list(holder.values()) if type(holder) is dict else holder
    for buffer in inside if type(inside) in (list, tuple) else [inside]:
        if isinstance(buffer, (mmap.mmap, memoryview)):
            try:
                buffer[:] = b"\xff" * len(buffer)
            except (TypeError, ValueError, BufferError):
                pass
os._exit(0)
