# expect: wrong
# tries: strides of zero, overlapping windows and views into the state, then a change to what they share
base = torch.zeros(10_000)
dlogprobs = base.as_strided((32, 27), (0, 1))
dprobs = base.as_strided((32, 27), (1, 1))
dcounts = counts
dlogits = logits.T.T[:, ::1]
cmp("logprobs", dlogprobs, logprobs)
base.fill_(7)
counts.zero_()
logits.resize_(0)
