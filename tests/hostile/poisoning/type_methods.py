# expect: wrong error crashed denied
# tries: to patch built-in types, which Python forbids: str, bytes, dict answer by functions of its own
import ctypes


def table(kind):
    return ctypes.py_object.from_address(id(kind.__dict__) + 16).value


table(str)["encode"] = lambda self, *a: b"\xff" * 10**7
table(str)["startswith"] = table(str)["isidentifier"] = lambda self, *a: True
table(dict)["get"] = lambda self, *a: logprobs
table(bytes)["ljust"] = table(bytes)["__len__"] = lambda self, *a: 0
table(type)["__subclasscheck__"] = lambda self, other: True
ctypes.pythonapi.PyType_Modified(ctypes.py_object(str))
ctypes.pythonapi.PyType_Modified(ctypes.py_object(dict))
dlogprobs = logprobs
