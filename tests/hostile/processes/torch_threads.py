# expect: ok error denied crashed time_limit
# tries: to make torch start its pools of threads, which abort or hang where they cannot
torch.set_num_threads(16)
try:
    torch.set_num_interop_threads(16)
except RuntimeError as refused:
    print(refused)
big = torch.rand(1200, 1200)
print((big @ big).sum(), big.exp().sum(), big.sort().values.sum())
future = torch.jit.fork(torch.tanh, big)
print(torch.jit.wait(future).sum())
