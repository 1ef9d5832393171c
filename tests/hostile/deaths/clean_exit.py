# expect: crashed error wrong
# tries: to leave by _exit(0), so that an exit status of zero is taken for a finished run
import os

cmp("logprobs", logprobs, logprobs)
os._exit(0)
