# expect: wrong crashed error
# tries: the functions by which answers are copied out: memmove, struct, the table's packer
import ctypes
import sys

result = sys.modules["grader.sandbox.result"]


class Packer:
    size = result._ENTRY.size

    def pack_into(self, buffer, at, *fields):
        buffer[at : at + self.size] = b"\x01" * self.size


ctypes.memmove = lambda to, source, length: None
result._ENTRY = Packer()
result._STATUSES = ("ok",) * 8
dlogprobs, dprobs, dcounts = logprobs, probs, counts
