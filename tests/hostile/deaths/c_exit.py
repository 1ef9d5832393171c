# expect: crashed error wrong denied
# tries: to leave by C: exit() with its handlers, quick_exit, longjmp through the harness's frames
import ctypes

libc = ctypes.CDLL(None)
libc.fflush(None)
libc.exit(0)
