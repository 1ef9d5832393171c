# expect: error time_limit
# tries: an exception whose text never arrives
class Endless(Exception):
    def __str__(self):
        while True:
            pass

    __repr__ = __str__


raise Endless
