# expect: error crashed
# tries: an exception whose text cannot be had: every way to show it raises SystemExit
class Shy(BaseException):
    def __str__(self):
        raise SystemExit(0)

    __repr__ = __format__ = __str__
    args = property(__str__)


raise Shy
