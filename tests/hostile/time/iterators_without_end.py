# expect: time_limit memory_limit
# tries: a loop in C over what never ends, into nothing, so that no memory limit stops it
import collections
import itertools

collections.deque(itertools.cycle(range(3)), maxlen=0)
