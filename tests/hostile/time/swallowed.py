# expect: time_limit
# tries: to survive every exception that a watchdog could raise in it
while True:
    try:
        while True:
            pass
    except BaseException:
        continue
