# expect: wrong error
# tries: to empty torch under the harness's feet
import sys

torch.Tensor = torch.frombuffer = torch.empty = torch.float32 = torch._C = None
for name in list(vars(torch)):
    if not name.startswith("__"):
        setattr(torch, name, 1 / 2)
for name in list(sys.modules):
    if name.startswith(("torch", "numpy", "safetensors")):
        sys.modules[name] = None
