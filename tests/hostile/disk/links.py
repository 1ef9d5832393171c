# expect: ok error denied
# tries: to plant symbolic and hard links, which other sandboxes followed with their own rights
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for act in (
    lambda: os.symlink("/etc/shadow", "/tmp/hostile-link"),
    lambda: os.link("/etc/passwd", "/tmp/hostile-hard"),
    lambda: os.rename("/etc/hostname", "/tmp/hostile-renamed"),
    lambda: os.symlink("/", "hostile-root"),
):
    try:
        act()
        print("BREACH made a link")
    except Exception as refused:
        print(refused)
if libc.symlinkat(b"/etc", -100, b"/tmp/hostile-l") == 0 or libc.linkat(-100, b"/etc", -100, b"/h", 0) == 0:
    print("BREACH made a link through the C library")
