# expect: error
# tries: a BaseException that is neither an error nor an exit, raised while another is on its way
class Odd(BaseException, metaclass=type("Meta", (type,), {"__repr__": lambda c: 1 / 0})):
    __module__ = property(lambda self: 1 / 0)
    __traceback__ = None
    __cause__ = property(lambda self: 1 / 0)


try:
    raise GeneratorExit
finally:
    raise Odd
