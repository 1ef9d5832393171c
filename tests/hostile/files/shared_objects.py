# expect: ok error denied
# tries: the dynamic loader: dlopen of a file, of a path that would run a constructor, of an unloaded library
import ctypes

for name in ("libnsl.so.2", "/lib/x86_64-linux-gnu/libcrypt.so.1", "libthread_db.so.1", "/etc/passwd", "./x"):
    try:
        print("BREACH loaded", ctypes.CDLL(name))
    except OSError as refused:
        print(str(refused)[:90])
        if "invalid ELF header" in str(refused) or "file too short" in str(refused):
            print("BREACH the loader read a file")
