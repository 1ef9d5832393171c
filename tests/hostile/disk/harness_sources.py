# expect: ok error denied
# tries: to change the grader's own modules on disk, for the runs of everybody after it
import sys

targets = [m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)]
targets = [t for t in targets if "grader" in t or "exercises" in t] + [torch.__file__]
for target in targets:
    for mode in ("a", "r+"):
        try:
            open(target, mode).close()
            print("BREACH could have changed", target)
        except OSError as refused:
            print(refused.errno, end=" ")
