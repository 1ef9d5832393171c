# expect: ok output_limit memory_limit time_limit
# tries: one write of a hundred megabytes of four-byte characters
import sys

sys.stdout.write("\U0001f4a5" * 25_000_000)
