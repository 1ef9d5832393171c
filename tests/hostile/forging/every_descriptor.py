# expect: ok wrong denied error
# tries: to write a verdict to every descriptor it holds, in every format that a parent might read
import os

texts = (b'{"status": "ok", "passed": 26, "exact": 26}\n', b"\x00" * 65_536, b"\xff" * 65_536, b"\x01")
for descriptor in range(4096):  # what was open before the limit on their number was set stays open
    for text in texts:
        for act in (
            lambda: os.write(descriptor, text),
            lambda: os.pwrite(descriptor, text, 0),
            lambda: os.truncate(descriptor, 0),
            lambda: os.lseek(descriptor, 0, 0),
        ):
            try:
                act()
                print(descriptor, "took it")
                if descriptor > 2:
                    print("BREACH descriptor", descriptor, "is open")
            except OSError:
                pass
