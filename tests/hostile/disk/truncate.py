# expect: ok error denied
# tries: to destroy instead of writing: truncate, unlink, chmod, chown, utime, sync
import os

target = torch.__file__
for act in (
    lambda: os.chmod(target, 0o644),
    lambda: os.chown(target, -1, -1),
    lambda: os.utime(target),
    lambda: os.truncate("/etc/hostile-none", 0),
    lambda: os.rmdir("/tmp/hostile-none"),
    lambda: os.unlink("/tmp/hostile-none"),
    lambda: os.setxattr(target, "user.hostile", b"1"),
):
    try:
        act()
        print("BREACH changed something on disk")
    except FileNotFoundError:
        print("BREACH the call reached the file system")
    except Exception as refused:
        print(refused)
