# expect: wrong error denied
# tries: the files and the states of other runs, as objects of the harness or as bytes in the heap
import ctypes
import gc

gc.unfreeze()
for thing in gc.get_objects():
    for held in (thing, *(thing.values() if type(thing) is dict else ())):
        source = getattr(held, "source", None) if type(held).__module__.startswith("grader") else None
        if type(source) is str and "A rehearsal" not in source and "tries: the files and the states" not in source:
            print("BREACH another run's file:", source[:60])
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
end = libc.sbrk(0)
start = min((id(t) for t in gc.get_objects() if end - (1 << 31) < id(t) < end), default=end)
heap, mark = ctypes.string_at(start, end - start), b"#".join([b" tries", b" nothing: an honest"])
if mark.replace(b"#", b":") in heap:
    print("BREACH the file of an earlier run is in the heap")
