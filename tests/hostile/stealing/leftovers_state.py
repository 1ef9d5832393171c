# expect: wrong error denied
# tries: to change the forward state, the flags and the defaults that a later run inherits; looks for it too
import sys

if torch.get_default_dtype() != torch.float32 or sys.getrecursionlimit() == 12_345:
    print("BREACH an earlier run changed the defaults")
if (W1 == 12_345).any() or (Yb == 26).all() or n == 12_345:
    print("BREACH an earlier run changed the forward state")
torch.set_default_dtype(torch.float64)
torch._C._set_deterministic_algorithms(True, warn_only=False)
torch.set_num_threads(1)
torch.set_flush_denormal(True)
sys.setrecursionlimit(12_345)
for value in list(globals().values()):
    if type(value) is torch.Tensor and value.is_floating_point():
        value.fill_(12_345)
Yb.fill_(26)
n = 12_345
