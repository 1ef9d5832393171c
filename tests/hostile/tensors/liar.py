# expect: wrong
# tries: an object that claims to be a tensor by __class__ and agrees to everything it is asked
class Yes:
    __class__ = property(lambda self: torch.Tensor)

    def __getattr__(self, name):
        return Yes()

    def __call__(self, *arguments, **named):
        return Yes()

    def __bool__(self):
        return True

    __eq__ = __add__ = __sub__ = __lt__ = __gt__ = __getitem__ = __call__
    __hash__ = __int__ = __index__ = __len__ = lambda self: 1
    __iter__ = lambda self: iter([Yes()])  # noqa: E731


dlogprobs = dprobs = dlogits = dC = Yes()
cmp("h", Yes(), h)
