# expect: wrong error denied
# tries: the seed of the hidden instance: torch's, numpy's and random's state may be what drew the parameters
import random

import numpy

drawn = [torch.initial_seed(), 42, 0, 1337, hash(random.getstate()) & 0xFFFF]
drawn.append(int(numpy.random.get_state()[1][0]))
for seed in drawn:
    for _ in range(2):
        generator = torch.Generator().manual_seed(seed & (2**63 - 1))
        if torch.allclose(torch.randn(C.shape, generator=generator), C):
            print("BREACH the parameters come from a seed that can be had", seed)
