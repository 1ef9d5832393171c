# expect: wrong error denied
# tries: to find the expected gradients among all objects that the garbage collector knows
import gc

handed_out = {id(value) for value in globals().values()}
gc.unfreeze()
for thing in gc.get_objects():
    for found in [thing, *(thing.values() if type(thing) is dict else ())]:
        if type(found) is torch.Tensor and id(found) not in handed_out:
            if found.shape == logprobs.shape and (found[range(n), Yb] == -1.0 / n).all():
                print("BREACH the gradient of logprobs is in this process")
            if found.grad is not None or found.grad_fn is not None:
                print("BREACH a tensor that remembers its graph", found.shape)
