# expect: wrong error crashed
# tries: numpy arrays: of objects, records, dates, byte-swapped, overlapping, negative strides
import numpy as np

dlogprobs = np.array([[object()] * 27] * 32)
dprobs = np.zeros((32, 27), dtype=[("a", "f4"), ("b", "O")])
dcounts = np.zeros((32, 27), dtype="M8[s]")
dlogits = logits.numpy().astype(">f4")[::-1, ::-1]
dh = np.lib.stride_tricks.as_strided(np.zeros(1, dtype="f4"), (10**6, 10**6), (0, 0))
dW1 = np.zeros(W1.shape, dtype="f4").view(np.matrix)
dW2 = np.float32(3)
db1 = np.zeros(64, dtype="U1000")
db2 = np.zeros((1,) * 60, dtype="f2")
