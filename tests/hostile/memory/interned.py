# expect: memory_limit time_limit
# tries: memory that cannot be freed again: interned strings and new types
import sys

for i in range(10**9):
    sys.intern("%064d" % i * 64)
    type("T%d" % i, (), {"x": bytes(4096)})
