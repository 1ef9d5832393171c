# expect: wrong error
# tries: coding: utf-7 declared in this very line, after which the bytes below could mean anything
exec(compile(b"# -*- coding: utf-7 -*-\n+ADs-print(1)", "x", "exec"))
exec(compile(b"\xef\xbb\xbf# -*- coding: latin-1 -*-\nx = 1", "x", "exec"))
