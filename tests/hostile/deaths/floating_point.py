# expect: crashed ok wrong error
# tries: the one integer division that the processor refuses, in torch, numpy and C
import ctypes

import numpy as np

lowest = -(2**63)
for name, act in (
    ("numpy", lambda: np.array([lowest]) // np.array([-1])),
    ("numpy modulo", lambda: np.array([lowest]) % np.array([-1])),
    ("ldiv", lambda: ctypes.CDLL(None).ldiv(ctypes.c_long(lowest), ctypes.c_long(-1))),
    ("torch modulo", lambda: torch.tensor([lowest]) % -1),
    ("torch", lambda: torch.div(torch.tensor([lowest]), -1, rounding_mode="floor")),
):
    print(name, act(), flush=True)
