# expect: wrong error denied crashed
# tries: to find the gradient of logprobs as bytes anywhere in the C heap, in an object or in none
import ctypes
import gc

libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
end = libc.sbrk(0)
gc.unfreeze()
known = [id(thing) for thing in gc.get_objects()] + [logits.data_ptr(), W1.data_ptr(), emb.data_ptr()]
start = min((a for a in known if end - (1 << 31) < a < end), default=end)
heap = ctypes.string_at(start, end - start)


def row(i):
    return b"".join(b"\0\0\0\xbd" if j == int(Yb[i]) else bytes(4) for j in range(27))  # -1/32 as float32


at = -1
while (at := heap.find(row(0), at + 1)) >= 0:
    if all(heap[at + 108 * i : at + 108 * (i + 1)] == row(i) for i in range(1, 8)):
        print("BREACH the gradient of logprobs is in the heap, at", at)
print("looked through", len(heap), "bytes")
