# expect: error
# tries: a SyntaxError and an IndentationError whose attributes are no numbers and no strings
for kind in (SyntaxError, IndentationError, TabError):
    error = kind("m", ("\x1b[2J\n\n", "seven", None, b"bytes", 0, 0))
    error.lineno, error.text, error.filename, error.msg = [1], 7, object(), None
    try:
        raise error
    except SyntaxError as caught:
        last = caught
raise last from ExceptionGroup("g", [error, last.with_traceback(None)])
