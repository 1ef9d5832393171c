# expect: ok error denied time_limit memory_limit crashed
# tries: torch.compile, which writes C++ to disk, runs a compiler and loads what comes out
try:
    plain = lambda x: (x * 2).tanh()
    step = torch.compile(plain)
    step(torch.rand(8))
    if step is not plain:  # it may come back as it is, and then nothing was compiled
        print("BREACH a compiled function ran")
    from torch._dynamo import optimize
    optimize()(plain)(torch.rand(8))
    print("BREACH a compiled function ran")
except Exception as refused:
    print(type(refused).__name__, str(refused)[:200])
