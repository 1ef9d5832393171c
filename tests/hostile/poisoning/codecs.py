# expect: wrong error
# tries: text handling that fails or floods: codecs, error handlers, locale
import codecs


def flood(error):
    return ("x" * 10**7, error.end)


for name in ("strict", "replace", "ignore", "backslashreplace", "surrogateescape", "surrogatepass"):
    codecs.register_error(name, flood)
codecs.register(lambda name: 1 / 0)
print("\ud800 caf\u00e9")
raise ValueError("\ud800\udfff" * 10)
