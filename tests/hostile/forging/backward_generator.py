# expect: wrong error time_limit
# tries: a `backward` that is a generator without end
def backward(state):
    while True:
        yield "dlogits", logits
