# expect: ok output_limit
# tries: to flood the error stream through warnings, logging, faulthandler and the unraisable hook
import logging
import sys
import warnings


class Broken:
    def __del__(self):
        raise ValueError("w" * 10_000)


for i in range(1000):
    warnings.warn_explicit("w" * 1000, UserWarning, "file%d" % i, i)
    logging.error("l" * 1000)
    Broken()
    sys.stderr and sys.stderr.write("e" * 1000)
