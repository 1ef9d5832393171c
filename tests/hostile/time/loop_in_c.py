# expect: time_limit
# tries: to loop for ever inside one C call, where no Python signal handler ever gets a turn
import collections
import itertools

collections.deque(itertools.repeat(0), maxlen=0)
