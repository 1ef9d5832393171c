# expect: ok error denied
# tries: the parent's environment, command line, memory and descriptors in /proc
import os

parents = [1, 2, "self", "thread-self"]
try:
    parents += [os.getppid(), os.getpid() - 1]
except OSError as refused:
    print(refused)
for parent in parents:
    for name in "environ cmdline mem maps fd fdinfo root cwd status stack auxv".split():
        path = f"/proc/{parent}/{name}"
        for act in (open, os.listdir, os.readlink, lambda p: os.open(p, os.O_PATH)):
            try:
                print("BREACH", path, act(path))
            except OSError:
                pass
