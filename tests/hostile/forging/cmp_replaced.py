# expect: wrong error
# tries: a cmp of its own that says yes, and the harness's name for it taken away
def cmp(name, mine, tensor):
    print(f"{name:15s} | exact: True  | approximate: True  | maxdiff: 0.0")
    mine == tensor.grad
    return True


for name in ("logprobs", "probs", "h"):
    cmp(name, globals()[name], globals()[name])
