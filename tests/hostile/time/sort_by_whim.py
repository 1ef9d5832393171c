# expect: time_limit wrong
# tries: sorts whose order is another one each time, of lists and of tensors, and searches in them
import functools
import itertools

whim = itertools.cycle([1, -1, 1, 1, -1, 0])
for size in (10, 1000, 100_000):
    sorted(range(size), key=functools.cmp_to_key(lambda a, b: next(whim)))
endless = torch.rand(3_000_000)
while True:
    endless.sort()
