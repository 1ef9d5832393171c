# expect: wrong error crashed denied
# tries: to change the harness's local variables in its frames, by the door that debuggers use
import ctypes
import sys

frame = sys._getframe().f_back
while frame:
    for name, value in list(frame.f_locals.items()):
        if isinstance(value, (dict, list, set)):
            try:
                value.clear()
            except Exception:
                pass
        frame.f_locals[name] = None
    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(1))
    frame = frame.f_back
