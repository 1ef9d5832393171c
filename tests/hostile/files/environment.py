# expect: ok
# tries: tokens and addresses in the environment, Python's copy and the C library's
import ctypes
import os

allowed = ("ATEN_CPU_CAPABILITY", "MKL_", "OMP_", "OPENBLAS_", "KMP_", "LANG", "LC_", "TZ", "PYTHON", "TORCH")
seen = dict(os.environb)
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
i = 0
while environ and environ[i]:
    name, _, value = environ[i].partition(b"=")
    seen[name] = value
    i += 1
for name in seen:
    text = name.decode("utf-8", "replace")
    if text in ("PATH", "HOME"):
        print(text, seen[name])
    elif not text.startswith(allowed):
        print("BREACH the environment holds", text)
