# expect: wrong error crashed
# tries: singletons and enumerations changed in place: RunStatus, torch dtypes, layouts, devices, the empty tuple
import ctypes
import sys

status = sys.modules["grader.sandbox.job"].RunStatus
status.ERROR._value_ = "ok"
status._value2member_map_.clear()
status._member_map_["ERROR"] = status.OK
for name in ("float32", "strided", "float64"):
    try:
        setattr(getattr(torch, name), "itemsize", 1)
    except (AttributeError, TypeError) as refused:
        print(refused)
torch.float32, torch.strided = torch.float64, torch.sparse_coo
sys.modules["grader.answer"].DTYPES[0]
head = ctypes.c_ssize_t.from_address(id(()) + 16)
print("length of the empty tuple", head.value)
dlogprobs = logprobs
