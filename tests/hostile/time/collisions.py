# expect: time_limit
# tries: quadratic time through a set of objects that share one hash and compare slowly
class Same:
    def __hash__(self):
        return 1

    def __eq__(self, other):
        return False


{Same() for _ in range(10_000_000)}
