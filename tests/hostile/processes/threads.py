# expect: ok error denied crashed
# tries: a bomb of threads
import threading
import time

started = 0
for _ in range(500):
    try:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        started += 1
    except RuntimeError as refused:
        print(refused)
        break
if started:
    print("BREACH", started, "threads")
