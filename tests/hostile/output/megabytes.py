# expect: ok output_limit
# tries: to print a hundred megabytes
line = "x" * 9_999
for _ in range(10_000):
    print(line)
