# expect: ok error denied
# tries: to learn which files there are without opening any: stat, access, readlink (Landlock covers none)
import os

for act in (
    lambda: os.stat("/etc/passwd").st_size,
    lambda: os.lstat("/"),
    lambda: os.path.exists("/etc/passwd") or 1 / 0,
    lambda: os.access("/etc/passwd", os.F_OK) or 1 / 0,
    lambda: os.readlink("/proc/self/exe"),
    lambda: os.path.realpath("/proc/self/cwd", strict=True),
    lambda: os.getcwd(),
    lambda: os.statvfs("/"),
    lambda: os.listxattr("/etc"),
    lambda: os.getxattr("/etc/passwd", "security.selinux"),
    lambda: os.path.samefile("/etc", "/etc/."),
    lambda: os.pathconf("/", "PC_NAME_MAX"),
    lambda: os.path.ismount("/proc") or 1 / 0,
):
    try:
        print("BREACH", act())
    except (OSError, ZeroDivisionError) as refused:
        print(refused)
