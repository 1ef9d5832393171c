# expect: error
# tries: an exception with ten thousand notes, some of which are no text
error = ValueError("noted")
for _ in range(10_000):
    error.add_note("\x1b[31m" + "n" * 1000)
error.__notes__ += [7, None, object(), b"\xff", error.__notes__]
raise error
