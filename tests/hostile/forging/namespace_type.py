# expect: wrong error crashed denied
# tries: to turn the harness's namespace into a dictionary of another class, by writing its type in memory
import ctypes


class Namespace(dict):
    __slots__ = ()

    def get(self, key, default=None):
        return logprobs

    __getitem__ = __missing__ = get


ctypes.py_object.from_address(id(globals()) + 8).value = Namespace
