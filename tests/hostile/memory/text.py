# expect: memory_limit time_limit
# tries: a string that doubles until something gives
text = "x"
while len(text) < 1 << 33:
    text += text
print("BREACH a string of eight gigabytes")
