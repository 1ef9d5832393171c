# expect: wrong error denied
# tries: the files and the states of other runs, as objects of the harness or as bytes in the heap
import ctypes
import gc

gc.unfreeze()
for thing in gc.get_objects():
    for held in (thing, *(thing.values() if type(thing) is dict else ())):
        if type(held).__name__ in ("Task", "Job", "Program", "Rehearsal"):
            text = str(getattr(held, "source", "")) + str(getattr(held, "text", ""))
            if "A rehearsal" not in text and "tries: the files and the states" not in text and text:
                print("BREACH another run's file:", text[:60])
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
end = libc.sbrk(0)
start = min((id(t) for t in gc.get_objects() if end - (1 << 31) < id(t) < end), default=end)
heap, mark = ctypes.string_at(start, end - start), [b"# tries", b" nothing: an honest derivation, to"]
at = -1
while (at := heap.find(mark[0] + b":", at + 1)) >= 0:  # the honest file that ran before this one
    if heap[at + 8 : at + 8 + len(mark[1])] == mark[1]:
        print("BREACH the file of an earlier run is in the heap")
print("looked through", len(heap), "bytes")
