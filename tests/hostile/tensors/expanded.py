# expect: wrong output_limit
# tries: tensors that claim a terabyte and hold one number
dlogprobs = torch.zeros(1).expand(10**6, 10**6)
dprobs = torch.zeros(()).expand(2**31, 2**31)
cmp("counts", torch.zeros(1).expand(10**6, 10**5), counts)
cmp("h", torch.zeros(1, 64).expand(10**9, 64), h)
