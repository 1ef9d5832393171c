# expect: ok error output_limit
# tries: bytes that are no UTF-8, cut in the middle of a character just at the limit
import sys

stream = getattr(sys.stdout, "buffer", None) or sys.stdout
try:
    stream.write(b"a" * 65_535 + "\u20ac".encode() * 40 + b"\xff\xfe\xc3\x28\x80" * 1000)
except TypeError:
    stream.write("a" * 65_535 + "\u20ac" * 1000)
