# expect: crashed denied
# tries: to leave a core file with the whole memory of the child in it
import ctypes
import os

endless = (ctypes.c_uint64 * 2)(-1, -1)
if ctypes.CDLL(None).setrlimit(4, endless) == 0:
    print("BREACH core files are allowed")
os.abort()
