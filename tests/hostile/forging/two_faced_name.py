# expect: wrong error
# tries: a checkpoint's name that is another one each time it is looked at
class Name(str):
    turns = iter(["logprobs", "probs", "counts", "logits", "h"] * 1000)

    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash(next(self.turns))

    def __str__(self):
        return next(self.turns)

    def __format__(self, how):
        return "x" * 10**7

    encode = removeprefix = lambda self, *a, **k: b"\xff" * 10**7


for _ in range(50):
    cmp(Name("logprobs"), logprobs, logprobs)
