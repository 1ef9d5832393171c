# expect: error
# tries: an exception whose message cannot be encoded, and whose type is named in terminal codes
raise type("Error\x1b[31m\u202e", (Exception,), {})("\udfff\ud800\x00\x1b[2J" * 100)
