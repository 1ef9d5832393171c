# expect: wrong error denied
# tries: the numbers of other instances in one process: any W1-shaped tensor that is not the one handed out
import gc

gc.unfreeze()
shapes = {W1.shape, W2.shape, C.shape, logits.shape}
for thing in gc.get_objects():
    for value in thing.values() if type(thing) is dict else thing if type(thing) in (list, tuple) else ():
        if type(value) is torch.Tensor and value.shape in shapes and value.is_floating_point():
            if not any(value is mine for mine in globals().values()) and value.shape == W1.shape:
                if value.abs().sum() > 0 and not torch.equal(value, W1):
                    print("BREACH the W1 of another instance", value[0, :3])
