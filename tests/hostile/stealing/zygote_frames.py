# expect: wrong error denied
# tries: the zygote's local variables, which the fork copied: its channels, its children, its last request
import os
import sys

frame = sys._getframe()
while frame:
    for name, value in list(frame.f_locals.items()):
        for thing in value.values() if type(value) is dict and frame.f_code.co_name == "serve" else [value]:
            descriptor = thing.fileno() if hasattr(thing, "fileno") and hasattr(thing, "sendmsg") else -1
            if descriptor > 2:
                print(frame.f_code.co_name, name, descriptor)
                for act in (
                    lambda d=descriptor: os.write(d, b"x"),
                    lambda t=thing: t.send(b"x"),
                    lambda t=thing: t.recv(1),
                    lambda t=thing: t.getpeername(),
                ):
                    try:
                        print("BREACH a channel of the zygote is open:", name, act())
                    except OSError:
                        pass
    frame = frame.f_back
