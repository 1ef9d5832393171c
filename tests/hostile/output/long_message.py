# expect: error
# tries: an exception with fifty megabytes of message
raise ValueError("m" * 50_000_000)
