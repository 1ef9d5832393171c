# expect: crashed error denied
# tries: to crash the interpreter without any module, by a code object that was never compiled
def victim():
    return 1


code = victim.__code__
victim.__code__ = code.replace(co_code=b"\x64\xff" * 40 + code.co_code, co_consts=(), co_stacksize=0)
print(victim())
