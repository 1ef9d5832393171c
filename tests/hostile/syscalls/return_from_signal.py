# expect: crashed denied error
# tries: rt_sigreturn with a frame of its own making: every register set at once, no code needed
import ctypes

libc = ctypes.CDLL(None)
libc.syscall(15)
print("came back from rt_sigreturn")
raise SystemExit
