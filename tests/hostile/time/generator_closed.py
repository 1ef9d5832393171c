# expect: wrong time_limit
# tries: generators that are closed when the harness lets go of their names, and that do not end then
def never():
    try:
        yield logprobs
    finally:
        while True:
            pass


left = [never() for _ in range(10)]
for each in left:
    next(each)
import sys

sys._getframe(1).f_locals["self"]._generators = left
del each
