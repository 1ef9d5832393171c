# expect: wrong
# tries: quantised tensors, per tensor and per channel, with a scale of zero or of infinity
dlogprobs = torch.quantize_per_tensor(logprobs, 0.1, 10, torch.quint8)
dprobs = torch.quantize_per_tensor(probs, 1e38, 0, torch.qint8)
scales, zeros = torch.zeros(32, dtype=torch.float64), torch.zeros(32, dtype=torch.int64)
dcounts = torch.quantize_per_channel(counts, scales, zeros, 0, torch.qint32)
cmp("logprobs", dlogprobs, logprobs)
