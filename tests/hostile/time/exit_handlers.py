# expect: wrong time_limit denied
# tries: to hang when the interpreter goes down: atexit, thread shutdown, a weakref's callback
import atexit
import threading
import weakref


def hang(*ignored):
    while True:
        pass


class Anchor:
    pass


atexit.register(hang)
threading._shutdown = hang
anchor = Anchor()
keeper = weakref.ref(anchor, hang)
weakref.finalize(anchor, hang)
