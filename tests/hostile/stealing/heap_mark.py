# expect: wrong error denied
# tries: to leave a mark all over its memory, and looks for the marks of its last run in memory not yet used
import numpy

mark = int.from_bytes(b"kram-ojd", "little")
for elements in (1 << 10, 1 << 14, 1 << 18, 1 << 20):
    tensor = torch.empty(elements, dtype=torch.int64)
    for stale in (numpy.empty(elements, dtype="u8"), tensor.numpy().view("u8")):
        if int((stale == mark).sum()) > 4:
            print("BREACH memory of an earlier run")
for _ in range(20):
    numpy.full(1 << 20, mark, dtype="u8")
    torch.full((1 << 18,), mark, dtype=torch.int64)
