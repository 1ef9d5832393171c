# expect: wrong error crashed
# tries: the import machinery: builtins.__import__, path hooks, loaders of modules that the harness asks for late
import builtins
import sys

real = builtins.__import__
builtins.__import__ = lambda name, *rest: sys.modules["__main__"] if name in ("numpy", "torch", "traceback") else real(name, *rest)
sys.meta_path[:] = [type("Finder", (), {"find_spec": lambda *a: 1 / 0})()]
sys.path_hooks.clear(), sys.path_importer_cache.clear(), sys.path.clear()
sys.modules["numpy"] = sys.modules["__main__"]
asarray = ndarray = array = lambda *a, **k: logprobs
dlogprobs = torch.ones(3).numpy()
del builtins.isinstance, builtins.len, builtins.type, builtins.BaseException
