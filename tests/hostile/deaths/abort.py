# expect: crashed denied
# tries: to die by abort, with the results half written
import os

dlogprobs = logprobs
cmp("logprobs", dlogprobs, logprobs)
os.abort()
