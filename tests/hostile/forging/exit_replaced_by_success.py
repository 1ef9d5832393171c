# expect: error
# tries: to turn any exit code of the harness into zero, after an error of its own
import os

leave = os._exit
os._exit = lambda code: leave(0)
raise ValueError("an error that must stay one")
