# expect: ok error
# tries: to corrupt the harness's own capture: rewind it, detach it, swap its class
import sys

out = sys.stdout
for act in (
    lambda: out.seek(0),
    lambda: out.truncate(10**9),
    lambda: out.seek(10**9),
    lambda: out.write("hole"),
    lambda: out.reconfigure(encoding="utf-16", errors="strict"),
    lambda: out.detach(),
    lambda: setattr(out, "__class__", type("Evil", (type(out),), {"getvalue": lambda self: 1 / 0})),
    lambda: out.__init__("restarted"),
    lambda: out.__dict__.clear(),
    lambda: out.__setstate__(("x" * 10**7, "\n", 10**7, None)),
):
    try:
        act()
    except BaseException:
        pass
