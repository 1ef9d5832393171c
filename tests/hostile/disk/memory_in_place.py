# expect: wrong denied error
# tries: the result's memory as a file: to reopen it by /proc, map_files, memfd names, and to seal it anew
import ctypes
import fcntl
import os

libc = ctypes.CDLL(None, use_errno=True)
for path in ("/proc/self/map_files", "/proc/self/fd/3", "/dev/fd/3", "/memfd:result", "/proc/thread-self/mem", "/dev/shm/result"):
    for flags in (os.O_RDONLY, os.O_RDWR, os.O_PATH, os.O_TMPFILE | os.O_RDWR):
        try:
            print("BREACH", path, os.open(path, flags))
        except OSError:
            pass
for descriptor in range(64):
    for command in (1033, 1034, 1024, 1025, 1031):
        try:
            print("BREACH", descriptor, command, fcntl.fcntl(descriptor, command, 0))
        except OSError:
            pass
