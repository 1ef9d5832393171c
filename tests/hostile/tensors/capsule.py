# expect: wrong crashed error denied
# tries: a DLPack capsule of its own making: an address that is none, negative strides, huge shapes
import ctypes


class Managed(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2), ("dimensions", ctypes.c_int32),
        ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p), ("offset", ctypes.c_uint64),
        ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
    ]


lengths = (ctypes.c_int64 * 2)(32, 27)
lie = Managed(0xDEAD0000, (1, 0), 2, 2, 32, 1, ctypes.addressof(lengths), None, 0, None, None)
new = ctypes.pythonapi.PyCapsule_New
new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p] * 3
name = ctypes.create_string_buffer(b"dltensor")
dlogprobs = torch.utils.dlpack.from_dlpack(new(ctypes.addressof(lie), ctypes.addressof(name), None))
print("made", dlogprobs.shape)
