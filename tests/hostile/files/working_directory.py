# expect: ok error denied
# tries: to move: chdir, fchdir, chroot, umask, and the trick of a descriptor kept across chroot
import ctypes
import os

for act in (
    lambda: os.chdir("/"),
    lambda: os.chdir(".."),
    lambda: os.fchdir(0),
    lambda: os.chroot("/tmp"),
    lambda: os.chroot("."),
):
    try:
        act()
        print("BREACH moved")
    except OSError as refused:
        print(refused)
libc = ctypes.CDLL(None, use_errno=True)
if libc.pivot_root(b"/", b"/") == 0 or libc.chroot(b"/tmp") == 0:
    print("BREACH a new root")
