# expect: wrong denied error
# tries: the zygote's socket objects, which every child inherits as Python objects: is anything behind them?
import gc
import socket
import sys

gc.unfreeze()
found = [each for each in gc.get_objects() if type(each) is socket.socket]
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()):
        found += [each for each in (value, *getattr(value, "__dict__", {}).values()) if type(each) is socket.socket]
    frame = frame.f_back
print(len(found), "sockets")
for each in found:
    for name, act in (
        ("recv", lambda: each.recv(1, socket.MSG_DONTWAIT)), ("send", lambda: each.send(b"", socket.MSG_DONTWAIT)),
        ("peer", each.getpeername), ("name", each.getsockname), ("accept", each.accept),
    ):
        try:
            print("BREACH", name, act())
        except OSError:
            pass
