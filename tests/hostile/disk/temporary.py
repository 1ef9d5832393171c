# expect: ok error denied
# tries: temporary files, also the nameless kind that no listing of a folder shows
import os
import tempfile

for act in (
    lambda: tempfile.TemporaryFile(),
    lambda: tempfile.mkdtemp(),
    lambda: os.open("/tmp", os.O_TMPFILE | os.O_RDWR),
    lambda: os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR),
    lambda: os.mkfifo("/tmp/hostile-fifo"),
    lambda: os.mkdir("/tmp/hostile-folder"),
    lambda: os.mknod("/tmp/hostile-node"),
):
    try:
        print("BREACH made", act())
    except Exception as refused:
        print(type(refused).__name__, str(refused)[:80])
