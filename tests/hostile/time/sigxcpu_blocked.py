# expect: time_limit denied
# tries: to block SIGXCPU, SIGALRM and the rest in the signal mask instead of handling them
import ctypes
import signal

try:
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
except OSError:
    libc = ctypes.CDLL(None)
    mask = ctypes.create_string_buffer(b"\xff" * 128)
    libc.sigprocmask(0, mask, None)
while True:
    pass
