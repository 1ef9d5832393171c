# expect: ok error denied
# tries: to fork
import os

child = os.fork()
if child == 0:
    os._exit(0)
print("BREACH forked", child)
