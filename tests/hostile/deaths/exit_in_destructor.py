# expect: crashed error wrong
# tries: to leave by _exit(0) from a destructor while the harness cleans up after it
import os


class Last:
    def __del__(self, leave=os._exit):
        leave(0)


keep = Last()
torch.keep = Last()
dlogprobs = logprobs
