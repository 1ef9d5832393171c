# expect: time_limit
# tries: to compute for ever in Python
while True:
    pass
