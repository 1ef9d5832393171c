# expect: wrong crashed
# tries: to change what it has handed to cmp through every other way to the same bytes
import ctypes

import numpy as np

base = torch.zeros(864)
dlogprobs = base.view(32, 27)
cmp("logprobs", dlogprobs, logprobs)
array = dlogprobs.numpy()
array[:] = 1
np.frombuffer(memoryview(array).cast("B"), dtype="f4")
torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(base)).fill_(2)
base.untyped_storage().fill_(3)
ctypes.memset(base.data_ptr(), 4, 64)
recorded = cmp.answers["logprobs"].answer.tensor
recorded.copy_(torch.full((32, 27), float("nan")))
recorded.untyped_storage().resize_(0)
