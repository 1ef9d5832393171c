# expect: ok error denied crashed
# tries: threads below Python: pthread_create, and _thread with a giant stack
import _thread
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
thread = ctypes.c_ulong()
pause = ctypes.cast(libc.pause, ctypes.c_void_p)
if libc.pthread_create(ctypes.byref(thread), None, pause, None) == 0:
    print("BREACH a thread by pthread_create")
try:
    _thread.stack_size(1 << 28)
    _thread.start_new_thread(print, ("BREACH a thread",))
except RuntimeError as refused:
    print(refused)
