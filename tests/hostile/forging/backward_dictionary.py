# expect: wrong error
# tries: a `backward` that hands back a dictionary which lies about what it holds
class Answers(dict):
    def __getitem__(self, key):
        return logprobs

    def __contains__(self, key):
        return True

    def __iter__(self):
        while True:
            yield "dlogprobs"

    def __len__(self):
        return 26

    items = keys = values = lambda self: iter([("dlogprobs", logprobs)] * 10**6)
    get = lambda self, key, default=None: logprobs  # noqa: E731
    __class__ = dict


def backward(state):
    return Answers(dlogprobs=logprobs)
