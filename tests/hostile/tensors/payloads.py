# expect: wrong
# tries: NaNs with messages in them, signalling ones, negative zeros, denormals, and the edges of every width
bits = torch.arange(864, dtype=torch.int32).view(32, 27)
dlogprobs = (bits | 0x7F800001).view(torch.float32)
dprobs = (bits | -0x00400000).view(torch.float32)
dcounts = bits.view(torch.float32)
dlogits = torch.full((32, 27), -0.0)
dh = torch.full((32, 64), 3.4e38) * 2
dW1 = torch.full(W1.shape, 1.7e308, dtype=torch.float64)
dW2 = torch.full(W2.shape, 65504.0, dtype=torch.float16) * 2
db1 = torch.full((64,), -(2**63), dtype=torch.int64)
db2 = torch.full((27,), 3e38, dtype=torch.bfloat16)
cmp("logprobs", dlogprobs, logprobs)
dlogprobs = dlogprobs.clone()
