# expect: wrong error denied
# tries: what cmp carries with it: closure, defaults, globals, the object it is bound to
found = []
for name in ("__closure__", "__defaults__", "__kwdefaults__", "__globals__", "__self__", "__dict__"):
    found.append((name, getattr(cmp, name, None)))
for cell in getattr(cmp, "__closure__", None) or ():
    found.append(("cell", cell.cell_contents))
for name, value in found:
    holds = value if isinstance(value, dict) else vars(value) if hasattr(value, "__dict__") else {}
    print(name, type(value), list(holds)[:30])
    for key, held in holds.items():
        if isinstance(held, torch.Tensor) and held.shape == logprobs.shape and held is not globals().get(key):
            if (held[range(n), Yb] == -1.0 / n).all():
                print("BREACH cmp knows the gradient of logprobs")
