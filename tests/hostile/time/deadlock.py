# expect: time_limit denied
# tries: to take one lock twice, so that the only thread waits for itself
import threading

lock = threading.Lock()
lock.acquire()
lock.acquire()
