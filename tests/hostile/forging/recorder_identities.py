# expect: wrong
# tries: the recorder's table of identities: can an object that was made later have that of a forward tensor?
import gc

mine = dict(cmp.known)
for name in mine.values():
    globals().pop(name, None)
gc.unfreeze()
gc.collect()
for _ in range(200_000):
    fresh = torch.empty(0)
    if id(fresh) in mine:
        print("BREACH a new tensor is taken for", mine[id(fresh)])
        break
for size in range(0, 400, 8):
    keep = [bytes(size) for _ in range(200)]
    if any(id(each) in mine for each in keep):
        print("BREACH bytes are taken for a tensor")
