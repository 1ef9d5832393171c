# expect: crashed denied
# tries: the interpreter's own fatal error, and after it a message meant to look like the harness's
import ctypes

ctypes.pythonapi.Py_FatalError(b'{"status": "ok", "passed": 26}')
