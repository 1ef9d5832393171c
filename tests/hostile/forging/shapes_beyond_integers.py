# expect: wrong
# tries: misfits whose shapes no 64-bit integer holds, so that whoever compares them raises
import sys

frame = sys._getframe()
while "writer" not in frame.f_locals:
    frame = frame.f_back
writer, result = frame.f_locals["writer"], sys.modules["grader.sandbox.result"]
misfit = sys.modules["grader.answer"].Answer
giants = iter([(2**64 - 1, 1, 1), (2**63, 32, 27), (2**64 - 1,), (0, 2**64 - 1), (1, 2**63), (2**64 - 1,) * 8])
result.Writer.answer = lambda *ignored: None
for index, shape in enumerate(giants):
    fields = (2, 0, len(shape), 0, 0, *shape, *(0,) * (8 - len(shape)), b"float32", b"look at its shape")
    result._ENTRY.pack_into(writer._buffer, 64 + index * result._ENTRY.size, *fields)
