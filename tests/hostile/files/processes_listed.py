# expect: ok error denied
# tries: to list what else runs on the machine
import glob
import os

for act in (
    lambda: os.listdir("/proc"),
    lambda: list(os.scandir("/proc")),
    lambda: list(os.walk("/proc"))[0],
    lambda: glob.glob("/proc/*")[0],
    lambda: os.listdir("."),
    lambda: os.listdir("/"),
    lambda: os.fwalk("/").__next__(),
    lambda: os.getloadavg(),
):
    try:
        print("BREACH", act())
    except Exception as refused:
        print(type(refused).__name__, refused)
