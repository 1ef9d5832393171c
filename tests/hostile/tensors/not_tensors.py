# expect: wrong
# tries: answers that are anything but tensors
import collections
import types

dlogprobs, dprobs, dcounts, dcounts_sum, dcounts_sum_inv = None, 0.0, [[1.0] * 27] * 32, "zeros", b"\0" * 3456
dnorm_logits, dlogit_maxes, dlogits, dh = range(5), torch.zeros, torch, torch.float32
dW2, db2, dhpreact = torch.nn.Linear(2, 2), logits.untyped_storage(), (x for x in ())
dbngain, dbnbias, dbnraw = collections.UserDict(), types.ModuleType("tensor"), torch.Tensor
dbnvar_inv, dbnvar, dbndiff2 = Ellipsis, NotImplemented, 10**1000
dbndiff, dbnmeani = {"shape": (32, 64)}, memoryview(b"abc")
for name in ("logprobs", "counts", "h", "W2"):
    cmp(name, globals()["d" + name], globals()[name])
