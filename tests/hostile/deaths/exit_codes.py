# expect: crashed error wrong denied
# tries: an exit code that looks like the mark of a limit or of a kill (128 + SIGKILL)
import os

os._exit(137)
