# expect: ok wrong
# tries: exceptions that nobody can raise: from destructors, callbacks and hooks, with text of their own
import gc
import weakref


class Loud:
    def __del__(self):
        raise ValueError("\x1b[2J" + "u" * 1000)

    def __repr__(self):
        raise SystemExit(0)


for _ in range(200):
    Loud()
target = {1, 2}
watch = weakref.ref(type("T", (), {})(), lambda ref: 1 / 0)
gc.callbacks.append(lambda *a: 1 / 0)
gc.collect()
gc.callbacks.clear()
