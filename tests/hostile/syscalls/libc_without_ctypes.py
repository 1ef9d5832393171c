# expect: ok error denied
# tries: every route to the C library when `import ctypes` is forbidden
import gc
import sys

routes = {
    "import": lambda: __import__("ctypes"),
    "sys.modules": lambda: sys.modules["ctypes"],
    "torch._ops": lambda: torch._ops.ctypes,
    "torch": lambda: torch.ctypes,
    "numpy": lambda: __import__("numpy").ctypeslib.ctypes,
    "_ctypes": lambda: __import__("_ctypes"),
    "gc": lambda: next(o for o in gc.get_objects() if getattr(o, "__name__", "") == "ctypes"),
    "subclasses": lambda: next(c for c in object.__subclasses__() if c.__module__ == "_ctypes"),
}
for name, route in routes.items():
    try:
        ctypes = route()
        if hasattr(ctypes, "CDLL") and ctypes.CDLL(None).open(b"/etc/passwd", 0) >= 0:
            print("BREACH by", name)
        print(name, "leads there")
    except Exception as refused:
        print(name, type(refused).__name__)
