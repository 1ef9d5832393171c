# expect: error
# tries: to swallow or to rewrite its own failure through the hooks that print exceptions
import os
import sys
import traceback


def hide(*a, **k):
    os._exit(0)


sys.excepthook = sys.unraisablehook = hide
for name in ("format_exception", "format_exc", "format_tb", "print_exc", "extract_tb", "walk_tb"):
    setattr(traceback, name, lambda *a, **k: [])
traceback.TracebackException = hide
raise ValueError("this failure must be seen")
