# expect: time_limit
# tries: a `backward` whose dictionary has keys that take for ever to be compared with
class Key:
    def __hash__(self):
        return hash("dlogprobs")

    def __eq__(self, other):
        while True:
            pass


def backward(state):
    return {Key(): state["logprobs"]}
