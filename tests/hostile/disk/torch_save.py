# expect: ok error denied
# tries: to write through torch's own C++ file writer, which Python's open knows nothing of
for act in (
    lambda: torch.save({"W1": W1}, "/tmp/hostile.pt"),
    lambda: torch.save({"W1": W1}, "/tmp/hostile.pt", _use_new_zipfile_serialization=False),
    lambda: torch._C.PyTorchFileWriter("/tmp/hostile.pt"),
    lambda: torch.jit.trace(torch.tanh, W1).save("/tmp/hostile.pt"),
    lambda: torch.from_file("/tmp/hostile.bin", shared=True, size=1 << 20),
    lambda: torch.UntypedStorage.from_file("/tmp/hostile.bin", True, 1 << 20),
):
    try:
        act()
        print("BREACH torch wrote a file")
    except Exception as refused:
        print(type(refused).__name__, str(refused)[:80])
