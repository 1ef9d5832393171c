# expect: wrong error
# tries: to serve its own `grader.answer` and friends to any import that the harness does later
import builtins
import sys
import types

old = builtins.__import__


def serve(name, *arguments, **named):
    fake = types.ModuleType(name)
    fake.__getattr__ = lambda key: lambda *a, **k: None
    return fake


builtins.__import__ = serve
for name in list(sys.modules):
    if name.startswith(("grader", "numpy", "traceback", "linecache")):
        sys.modules[name] = serve(name)
raise ValueError("so that the traceback has to be made")
