# expect: crashed error wrong denied memory_limit
# tries: to end the interpreter below the harness, which goes on running Python in it
import ctypes

cmp("logprobs", logprobs, logprobs)
ctypes.pythonapi.Py_FinalizeEx()
