# expect: error
# tries: frames under the name of the student's file, with functions and lines that no file has
import types


def fail():
    return nowhere


code = fail.__code__.replace(co_filename=__name__, co_name="\x1b[2J" + "n" * 10**5, co_qualname="q" * 10**5, co_firstlineno=2**31 - 1)
other = compile("\n" * 60 + "f()", "code_named.py", "exec")
exec(other, {"f": types.FunctionType(code.replace(co_filename="code_named.py"), globals())})
