# expect: ok error
# tries: text that cannot be encoded: lone surrogates, and code points that are no characters
import sys

print("\ud800 \udfff \udc80")
sys.stdout.write("".join(map(chr, range(0xD7F0, 0xE010))))
print("\udc80".join(map(chr, range(0x10FFF0, 0x110000))))
