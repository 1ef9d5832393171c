# expect: ok error denied crashed
# tries: raw memory without ctypes: __array_interface__ turns any address into an array that can be written
import numpy as np


class Window:
    def __init__(self, address, size):
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": (address, False)}


function = np.asarray(Window(id(len), 64)).view("u8")  # a PyCFunctionObject: type, then its PyMethodDef
method = np.asarray(Window(int(function[2]), 32)).view("u8")
print("len is at", hex(method[1]))
code = np.asarray(Window(int(method[1]), 16))
print("its first bytes", bytes(code[:4]).hex())
method[1] = np.asarray(Window(int(np.asarray(Window(id(id), 64)).view("u8")[2]), 32)).view("u8")[1]
print("len now answers as id:", len("abc") == id("abc"))
code[0] = 0xC3
print("BREACH wrote into code")
