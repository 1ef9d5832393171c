# expect: ok error denied
# tries: to read and write through numpy's C functions
import numpy as np

for act in (
    lambda: np.fromfile("/etc/passwd", dtype="u1", count=16),
    lambda: np.memmap("/tmp/hostile.map", dtype="u1", mode="w+", shape=4096),
    lambda: np.save("/tmp/hostile.npy", np.zeros(3)),
    lambda: np.zeros(3).tofile("/tmp/hostile.raw"),
    lambda: np.zeros(3).dump("/tmp/hostile.pickle"),
    lambda: np.loadtxt("/etc/passwd", dtype=str),
    lambda: np.genfromtxt("/etc/hostname", dtype=str),
):
    try:
        print("BREACH numpy touched a file", act())
    except Exception as refused:
        print(type(refused).__name__, str(refused)[:80])
