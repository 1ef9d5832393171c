# expect: wrong crashed memory_limit error
# tries: to make every page that it shares with the zygote its own, by writing to each what it holds already
import ctypes
import gc

gc.unfreeze()
libc = ctypes.CDLL(None)
heap = min(id(each) for each in gc.get_objects()[:1000]) & ~4095
for page in range(heap, heap + (64 << 20), 4096):
    try:
        ctypes.memmove(page, ctypes.string_at(page, 1), 1)
    except ValueError:
        break
gc.collect()
