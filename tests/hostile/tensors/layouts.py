# expect: wrong error crashed
# tries: every layout that lies about its size: compressed rows, columns and blocks, jagged, oneDNN, packed bits
made = []
for act in (
    lambda: torch.sparse_csr_tensor(torch.tensor([0, 1]), torch.tensor([5]), torch.ones(1), (1, 2**40)),
    lambda: torch.sparse_csr_tensor([0, 9**9] + [0] * 31, [2**40], [1.0], (32, 27), check_invariants=False),
    lambda: torch.sparse_csc_tensor([0] * 28, [], [], (32, 27)),
    lambda: torch.sparse_bsr_tensor([0, 1], [0], torch.ones(1, 32, 27), (32, 27)),
    lambda: torch.sparse_coo_tensor([[2**40], [-5]], [1.0], (32, 27), check_invariants=False),
    lambda: torch.zeros(32, 27).to_mkldnn(),
    lambda: torch.nested.nested_tensor([torch.zeros(3), torch.zeros(5)], layout=torch.jagged),
    lambda: torch.empty(32, 27, dtype=torch.bits8),
    lambda: torch.zeros(32, 27, dtype=torch.uint64),
    lambda: torch.zeros(32, 27).to(torch.float8_e5m2),
    lambda: torch.quantize_per_channel(torch.zeros(32, 27), torch.ones(27), torch.zeros(27), 1, torch.qint8),
    lambda: torch.zeros(32, 27, dtype=torch.complex32),
):
    try:
        made.append(act())
    except Exception as refused:
        print(str(refused)[:80])
targets = "logprobs probs counts logits h W1 W2 b1 b2 bnraw bngain C".split()
for target, value in zip(targets, made):
    globals()["d" + target] = value
    cmp(target, value, globals()[target])
