# expect: wrong denied error
# tries: what can be done with the null device besides writing: ioctl, seek, locks, sendfile, splice, fcntl, mapping
import ctypes
import fcntl
import mmap
import os

libc = ctypes.CDLL(None, use_errno=True)
for name, act in (
    ("ioctl", lambda: fcntl.ioctl(0, 0x5401, bytes(64))), ("lseek", lambda: os.lseek(0, 0, 0)),
    ("flock", lambda: fcntl.flock(0, 2)), ("lockf", lambda: fcntl.lockf(0, 2)), ("sendfile", lambda: os.sendfile(1, 0, 0, 9)),
    ("fcntl", lambda: fcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK)), ("owner", lambda: fcntl.fcntl(0, 8, 1)),
    ("map", lambda: mmap.mmap(0, 4096, mmap.MAP_PRIVATE)), ("fsync", lambda: os.fsync(0)), ("dup", lambda: os.dup(0)),
    ("pwrite", lambda: os.pwrite(1, b"x", 0)), ("writev", lambda: os.writev(1, [b"x"])), ("fstat", lambda: os.fstat(0)),
    ("isatty", lambda: os.ttyname(0)), ("pread", lambda: os.pread(0, 1, 0)), ("readv", lambda: os.readv(0, [bytearray(1)])),
):
    try:
        print("BREACH", name, act())
    except OSError as refused:
        print(name, refused.errno, end="; ")
print(libc.write(1, ctypes.c_void_p(0), ctypes.c_size_t(2**40)), libc.write(1, b"x", ctypes.c_size_t(2**63 - 1)))
