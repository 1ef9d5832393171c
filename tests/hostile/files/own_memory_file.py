# expect: ok error denied
# tries: /proc/self/mem and maps, to write where the memory protection forbids it
import os

for path in ("/proc/self/mem", "/proc/self/maps", "/proc/thread-self/mem", "/proc/self/fd", "/proc/self/exe"):
    for flags in (os.O_RDONLY, os.O_RDWR):
        try:
            print("BREACH opened", path, os.open(path, flags))
        except OSError as refused:
            print(path, refused)
