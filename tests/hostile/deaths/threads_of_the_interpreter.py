# expect: crashed denied error wrong time_limit memory_limit
# tries: the interpreter's lock and thread state, given away, swapped and cleared from within
import ctypes

api = ctypes.pythonapi
api.PyThreadState_Get.restype = api.PyInterpreterState_Get.restype = api.PyThreadState_New.restype = ctypes.c_void_p
api.PyThreadState_Swap.restype = ctypes.c_void_p
mine, interpreter = api.PyThreadState_Get(), api.PyInterpreterState_Get()
print("an exception for myself", api.PyThreadState_SetAsyncExc(ctypes.c_ulong(1), ctypes.py_object(SystemExit)))
api.Py_AddPendingCall(ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lambda nothing: -1), None)
other = api.PyThreadState_New(ctypes.c_void_p(interpreter))
api.PyThreadState_Swap(ctypes.c_void_p(other))
print("as another thread")
api.PyThreadState_Clear(ctypes.c_void_p(mine))
