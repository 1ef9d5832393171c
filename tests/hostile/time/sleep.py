# expect: time_limit denied
# tries: to sit out the wall clock without using any processor time
import time

time.sleep(3600)
print("BREACH slept for an hour")
