# expect: wrong time_limit
# tries: to hang in the destructors that run when the harness lets go of the namespace
class Sticky:
    def __del__(self):
        while True:
            pass


one = Sticky()
torch.sticky = Sticky()
cycle = [Sticky()]
cycle.append(cycle)
dlogprobs = logprobs
