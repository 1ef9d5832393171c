# expect: ok error denied time_limit memory_limit crashed
# tries: torch.compile, which writes C++ to disk, runs a compiler and loads what comes out
try:
    step = torch.compile(lambda x: (x * 2).tanh())
    step(torch.rand(8))
    print("BREACH a compiled function ran")
except Exception as refused:
    print(type(refused).__name__, str(refused)[:200])
