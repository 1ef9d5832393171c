# expect: ok error denied
# tries: to fill whatever disk it can find, 64 MB at each place
import os

for folder in (".", "/tmp", "/var/tmp", "/dev/shm", "/run", "/", os.path.expanduser("~")):
    try:
        with open(folder + "/hostile-fill", "wb") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
        print("BREACH wrote a file in", folder)
    except Exception as refused:
        print(folder, refused)
