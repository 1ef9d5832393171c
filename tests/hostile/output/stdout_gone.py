# expect: ok error
# tries: to leave the harness without a standard output, or with one that is closed
import sys

sys.stdout.close()
del sys.stdout, sys.__stdout__
sys.stderr = sys.__stderr__ = None
