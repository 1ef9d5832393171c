# expect: wrong crashed error denied
# tries: to close, duplicate and cross over all descriptors, so that the harness reports into nothing
import ctypes
import os

libc = ctypes.CDLL(None)
for descriptor in range(64):
    for act in (
        lambda: os.dup2(descriptor, (descriptor + 1) % 64),
        lambda: os.set_inheritable(descriptor, True),
        lambda: os.set_blocking(descriptor, True),
        lambda: libc.fcntl(descriptor, 1033, 0xF),
        lambda: libc.flock(descriptor, 2),
        lambda: os.close(descriptor),
    ):
        try:
            act()
        except OSError:
            pass
os.closerange(0, 1 << 20)
libc.close_range(0, -1, 0)
