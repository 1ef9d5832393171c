# expect: time_limit
# tries: catastrophic backtracking, which holds the interpreter inside one C call
import re

re.match(r"(a|a?)+$", "a" * 64 + "b")
