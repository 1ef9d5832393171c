# expect: wrong output_limit
# tries: answers of exactly the room there is, and one element more, in every width
largest = max(value.numel() for value in list(globals().values()) if isinstance(value, torch.Tensor))
dlogprobs = torch.ones(largest, dtype=torch.float64)
dprobs = torch.ones(largest + 1, dtype=torch.float64)
dcounts = torch.ones(2 * largest + 1, dtype=torch.float32)
dh = torch.ones(8 * largest, dtype=torch.uint8)
dlogits = torch.ones(8 * largest + 1, dtype=torch.bool)
dW1 = torch.ones([1] * 8)
dW2 = torch.ones([1] * 64)
