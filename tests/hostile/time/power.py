# expect: time_limit memory_limit
# tries: one arithmetic operation that takes hours
x = 9
for _ in range(9):
    x = x**9
print(x)
