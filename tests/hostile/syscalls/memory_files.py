# expect: ok error denied
# tries: memfd_create, memfd_secret, shm_open: memory that survives in a descriptor or in /dev/shm
import _posixshmem
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for name, act in (
    ("memfd_secret", lambda: libc.syscall(447, 0)),
    ("shm_open", lambda: libc.shm_open(b"/hostile", 0o102, 0o600)),
    ("_posixshmem", lambda: _posixshmem.shm_open("/hostile", os.O_CREAT | os.O_RDWR, 0o600)),
    ("sem_open", lambda: -1 if libc.sem_open(b"/hostile", 0o100, 0o600, 1) == 0 else 0),
):
    try:
        if act() >= 0:
            print("BREACH", name)
        print(name, ctypes.get_errno())
    except OSError as refused:
        print(name, refused)
