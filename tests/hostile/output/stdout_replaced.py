# expect: ok error output_limit
# tries: a standard output whose every method lies, raises or returns megabytes to the harness
import sys


class Lying:
    def __getattr__(self, name):
        return lambda *a, **k: "y" * 10**7

    def write(self, text):
        raise KeyboardInterrupt("no")

    def flush(self):
        raise SystemExit("no")


old = sys.stdout
sys.stdout = sys.stderr = sys.__stdout__ = Lying()
for name in ("getvalue", "write", "flush", "close", "getbuffer", "tell", "seek"):
    try:
        setattr(type(old), name, lambda *a, **k: "z" * 10**7)
        setattr(old, name, lambda *a, **k: -1)
    except Exception:
        pass
