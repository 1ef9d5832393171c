# expect: ok error denied
# tries: System V shared memory, semaphores and message queues, which stay after their maker is dead
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for name, call in (
    ("shmget", lambda: libc.shmget(0x40571E, 4096, 0o1600)),
    ("semget", lambda: libc.semget(0x40571E, 1, 0o1600)),
    ("msgget", lambda: libc.msgget(0x40571E, 0o1600)),
    ("shmctl, list", lambda: libc.shmctl(0, 14, ctypes.create_string_buffer(256))),
):
    if call() >= 0:
        print("BREACH", name)
    print(name, ctypes.get_errno())
