# expect: ok wrong denied
# tries: the standard output that Python began with, and descriptors one and two through every object that has them
import io
import os
import sys

for name, act in (
    ("__stdout__", lambda: print("BREACH", file=sys.__stdout__, flush=True)), ("__stderr__", lambda: sys.__stderr__.write("x\n")),
    ("buffer", lambda: sys.stdout.buffer.write(b"x")), ("fileno", lambda: sys.stdout.fileno()),
    ("FileIO", lambda: io.FileIO(1, "w").write(b"x")), ("open", lambda: open(1, "w").write("x")), ("fdopen", lambda: os.fdopen(2, "w")),
    ("stdin", lambda: sys.__stdin__.read()), ("input", lambda: sys.stdin.read()), ("displayhook", lambda: sys.displayhook("shown")),
):
    try:
        print(name, act())
    except Exception as refused:
        print(name, type(refused).__name__)
