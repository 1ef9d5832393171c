# expect: ok error denied
# tries: multiprocessing in every start method, Python's and torch's
import multiprocessing
import os

import torch.multiprocessing as tmp

for kind in (multiprocessing, tmp):
    for method in ("fork", "spawn", "forkserver"):
        try:
            process = kind.get_context(method).Process(target=os.getpid)
            process.start()
            print("BREACH", method, process.pid)
        except Exception as refused:
            print(method, type(refused).__name__, refused)
