# expect: time_limit wrong error
# tries: to hang the harness inside cmp, by a name and a value whose methods never return
class Slow(str):
    def __hash__(self):
        while True:
            pass

    def __eq__(self, other):
        while True:
            pass


cmp(Slow("logprobs"), logprobs, logprobs)
