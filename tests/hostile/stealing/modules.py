# expect: wrong error denied
# tries: every tensor and every table in every loaded module
import sys

mine = {id(v) for v in globals().values()}
for module in list(sys.modules.values()):
    for name, value in list(getattr(module, "__dict__", {}).items()):
        things = list(value.values())[:500] if type(value) is dict else [value]
        for thing in things:
            if type(thing) is torch.Tensor and thing.numel() > 1 and id(thing) not in mine:
                print("a tensor in", module.__name__, name, tuple(thing.shape))
                if thing.shape == logprobs.shape and (thing[range(n), Yb] == -1.0 / n).all():
                    print("BREACH the gradient of logprobs")
