# expect: time_limit memory_limit
# tries: the quadratic conversion of a giant integer to decimal digits
import sys

sys.set_int_max_str_digits(0)
str((1 << 30_000_000) - 1)
