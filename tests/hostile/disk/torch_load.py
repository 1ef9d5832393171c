# expect: ok error denied
# tries: to read files through torch's loaders, with and without a memory map
for act in (
    lambda: torch.load("/etc/passwd", weights_only=False),
    lambda: torch.load("/etc/passwd", mmap=True),
    lambda: torch._C.PyTorchFileReader("/etc/passwd"),
    lambda: torch.jit.load("/etc/passwd"),
    lambda: torch.from_file("/etc/passwd", shared=False, size=64, dtype=torch.uint8),
    lambda: torch.UntypedStorage.from_file("/etc/passwd", False, 64),
    lambda: torch.ops.load_library("/usr/lib/x86_64-linux-gnu/libz.so.1"),
    lambda: torch.classes.load_library("/usr/lib/x86_64-linux-gnu/libz.so.1"),
):
    try:
        print("BREACH torch read a file", act())
    except Exception as refused:
        text = str(refused)
        print(type(refused).__name__, text[:80])
        if "magic number" in text or "central directory" in text or "unpickl" in text.lower():
            print("BREACH torch had the file open")
