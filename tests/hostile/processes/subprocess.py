# expect: ok error denied
# tries: every way in which the standard library starts a program
import os
import subprocess

for act in (
    lambda: subprocess.run(["/bin/true"], check=True),
    lambda: subprocess.run("true", shell=True, check=True),
    lambda: os.posix_spawn("/bin/true", ["true"], {}),
    lambda: os.spawnv(os.P_NOWAIT, "/bin/true", ["true"]),
    lambda: os.popen("true").close() is None or 1 / 0,
    lambda: os.system("true") == 0 or 1 / 0,
    lambda: os.forkpty()[0] or os._exit(0),
    lambda: os.posix_spawnp("true", ["true"], {}, setsid=True),
):
    try:
        act()
        print("BREACH started a program")
    except Exception as refused:
        print(type(refused).__name__, refused)
