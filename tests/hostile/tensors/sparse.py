# expect: wrong
# tries: sparse tensors: absurd sizes, indices out of range or repeated, every compressed layout
one = torch.ones(1)
dlogprobs = torch.sparse_coo_tensor(torch.zeros(2, 1, dtype=torch.int64), one, (2**31, 2**31))
dprobs = torch.sparse_coo_tensor(torch.full((2, 3), 10**9), torch.ones(3), (32, 27), check_invariants=False)
dcounts = torch.sparse_coo_tensor(torch.zeros(2, 10**5, dtype=torch.int64), torch.ones(10**5), (32, 27))
dh = torch.sparse_csr_tensor([0, 10**9], [5], one, (1, 64), check_invariants=False)
dlogits = logits.to_sparse_bsr((1, 27)) if logits.shape[1] == 27 else logits.to_sparse_csr()
dW1 = W1.to_sparse_csc()
dW2 = W2.to_sparse(1)
for name in ("logprobs", "counts", "W1"):
    cmp(name, globals()["d" + name], globals()[name])
