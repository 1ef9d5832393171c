# expect: error
# tries: an exception whose __str__ gives a subclass of str, with methods of its own
class Text(str):
    def encode(self, *a, **k):
        return b"\xff" * 10**8

    def __len__(self):
        return -5

    def __getitem__(self, key):
        return "k" * 10**8

    def __add__(self, other):
        raise KeyboardInterrupt

    __radd__ = __format__ = __add__


class Liar(Exception):
    def __str__(self):
        return Text("m" * 10**6)

    __class__ = property(lambda self: SystemExit)


raise Liar
