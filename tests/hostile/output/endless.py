# expect: time_limit output_limit
# tries: to print for ever, in the smallest pieces
while True:
    print("x", end="", flush=True)
