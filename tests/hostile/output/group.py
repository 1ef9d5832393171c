# expect: error
# tries: exception groups nested two thousand deep, with notes that are no strings
inner = ValueError("inner")
inner.__notes__ = [object(), 5, "n" * 10**6, None]
for _ in range(2000):
    inner = ExceptionGroup("g", [inner, ValueError("x" * 1000)])
inner.__notes__ = 17
raise inner
