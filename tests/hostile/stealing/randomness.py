# expect: wrong
# tries: to learn from the random state what an earlier run did; prints first draws, to compare two runs
import random

import numpy

print(random.random(), numpy.random.rand(), torch.rand(1).item(), torch.initial_seed(), hash("salt"))
