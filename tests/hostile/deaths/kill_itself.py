# expect: crashed denied memory_limit error
# tries: SIGKILL to itself, to look like a victim of the out-of-memory killer
import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
print("still here")
