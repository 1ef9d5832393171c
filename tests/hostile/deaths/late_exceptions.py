# expect: wrong error crashed
# tries: exceptions that come out of nowhere while the harness collects the answers
import _thread
import ctypes
import gc

raise_later = ctypes.pythonapi.PyThreadState_SetAsyncExc
me = ctypes.c_ulong(_thread.get_ident())


def throw(phase, info):
    raise_later(me, ctypes.py_object(KeyboardInterrupt))


class Last:
    __del__ = throw

    def __init__(self):
        self.phase = self.info = None


_thread.interrupt_main()
gc.unfreeze()
gc.callbacks.append(throw)
gc.set_threshold(1, 1, 1)
dlogprobs = logprobs
