# expect: error
# tries: an exception with ten thousand causes, and a ring of contexts at the end
first = last = ValueError("link 0")
for i in range(10_000):
    last.__cause__ = ValueError(f"link {i}" * 100)
    last.__context__ = first
    last = last.__cause__
last.__context__ = first
raise first
