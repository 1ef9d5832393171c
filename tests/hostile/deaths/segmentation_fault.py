# expect: crashed denied
# tries: to die by a null pointer after it has answered
import ctypes

cmp("logprobs", logprobs, logprobs)
ctypes.string_at(0)
