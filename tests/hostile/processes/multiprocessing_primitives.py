# expect: ok error denied
# tries: semaphores, shared blocks, queues and managers, which live in /dev/shm after their maker
import multiprocessing

import _multiprocessing
import _posixshmem

for act in (
    lambda: multiprocessing.Lock(),
    lambda: _multiprocessing.SemLock(1, 1, 1, "/hostile", True),
    lambda: multiprocessing.Value("i"),
    lambda: multiprocessing.Queue(),
    lambda: multiprocessing.Pipe(),
    lambda: _posixshmem.shm_open("/hostile", 0o102, 0o600),
    lambda: multiprocessing.Manager(),
):
    try:
        act()
        print("BREACH made something that other processes can share")
    except Exception as refused:
        print(type(refused).__name__, refused)
