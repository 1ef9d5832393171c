# expect: error wrong
# tries: strings and names of lone surrogates, which no encoding can write into a traceback
def f(x="\ud800"):
    raise KeyError("\udfff" + x)


f.__name__ = f.__qualname__ = "\ud800"
f.__code__ = f.__code__.replace(co_name="\ud800", co_qualname="\udc80", co_filename="\udcff")
f()
