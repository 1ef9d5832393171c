# expect: wrong crashed error
# tries: a compressed layout whose unchecked indices make the conversion to dense write outside its memory
indices = torch.full((32,), 1 << 28)
starts = torch.arange(33)
dlogprobs = torch.sparse_compressed_tensor(
    starts, indices, torch.ones(32), (32, 27), layout=torch.sparse_csr, check_invariants=False
)
