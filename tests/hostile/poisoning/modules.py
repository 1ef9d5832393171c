# expect: wrong error
# tries: a table of modules that is empty, is no dictionary, or answers everything with the submission itself
import sys


class Everything(dict):
    def __missing__(self, key):
        return self

    def __getattr__(self, name):
        return self

    def __call__(self, *arguments, **named):
        return self

    get = __getitem__ = lambda self, *a: self


sys.modules.clear()
sys.modules = Everything()
sys.path_importer_cache.clear()
sys.meta_path[:] = sys.path_hooks[:] = [Everything()]
