# expect: error crashed
# tries: to set an error in C that is no exception: a type that is none, a class, a null
import ctypes

api = ctypes.PyDLL(None)
api.PyErr_SetObject.argtypes = [ctypes.py_object, ctypes.py_object]
api.PyErr_SetObject(int, 5)
print("went on")
api.PyErr_Restore(ctypes.py_object(object), None, None)
