# expect: ok crashed denied
# tries: the strings that exec left at the top of the stack: environment and arguments, cleared or not
import ctypes

libc = ctypes.CDLL(None)
libc.getauxval.restype = ctypes.c_ulong
libc.getauxval.argtypes = [ctypes.c_ulong]
top = libc.getauxval(31)  # AT_EXECFN: the file name, the last string on the stack
text = ctypes.string_at(top - 4096, 4096)
for word in b"TOKEN SECRET PASSWORD DATABASE postgres sqlite DOJO_ AWS_ HOSTNAME=".split():
    if word in text:
        print("BREACH the stack holds", word)
print(len(text.split(b"\0")), "strings")
