# expect: wrong
# tries: numpy's protocols on the way to a plain array: finalize, wrap, ufunc, function, struct, buffer, priority
import numpy as np


class Sly(np.ndarray):
    def __array_finalize__(self, other):
        if other is not None and type(other) is not np.ndarray:
            raise SystemExit(0)

    def __array__(self, *a, **k):
        return np.zeros((10**5, 10**4), dtype="f4")

    def __array_ufunc__(self, *a, **k):
        raise SystemExit(0)

    __array_function__ = __array_ufunc__
    __array_priority__ = float("inf")
    __array_interface__ = property(lambda self: {"shape": (2**60,), "typestr": "<f4", "data": (1, False), "version": 3})
    dtype = property(lambda self: np.dtype("O"))


dlogprobs = np.zeros((32, 27), dtype="f4").view(Sly)
dprobs = np.ndarray.__new__(Sly, (32, 27), "f4", buffer=bytearray(4000), strides=(-4, 4), offset=200)
dlogits = np.array(7.0)
dh = np.zeros((32, 64), dtype=np.dtype("f4", metadata={"a": object()}))
cmp("logprobs", dlogprobs, logprobs)
