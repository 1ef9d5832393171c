# expect: ok error denied
# tries: to watch the file system instead of reading it: inotify, fanotify
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for name, call in (
    ("inotify_init1", lambda: libc.inotify_init1(0)),
    ("inotify_add_watch", lambda: libc.inotify_add_watch(3, b"/etc", 0xFFF)),
    ("fanotify_init", lambda: libc.fanotify_init(0, 0)),
    ("fanotify_mark", lambda: libc.fanotify_mark(3, 1, 1, -100, b"/")),
    ("lookup of a cookie", lambda: libc.syscall(212, 0, None, 0)),
):
    if call() >= 0:
        print("BREACH", name)
    print(name, ctypes.get_errno())
