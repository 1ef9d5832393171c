# expect: ok error denied
# tries: to become another program, with a fresh memory and no harness in it
import os

try:
    os.execv("/bin/echo", ["echo", "BREACH became another program"])
except OSError as refused:
    print(refused)
os.execve("/usr/bin/env", ["env"], {"BREACH": "became env"})
