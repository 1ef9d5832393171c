# expect: time_limit memory_limit
# tries: the greatest common divisor of giant integers, one quadratic call that cannot be interrupted
import math

math.gcd((1 << 4_700_000) - 1, 3**3_000_000)
