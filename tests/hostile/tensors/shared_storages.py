# expect: wrong denied error
# tries: torch's doors to shared memory and files: from_file, _new_shared, share_filename, reductions, CUDA handles
from multiprocessing import reduction

for name, act in (
    ("from_file", lambda: torch.from_file("/tmp/shared", shared=True, size=864)),
    ("storage from_file", lambda: torch.UntypedStorage.from_file("/tmp/shared", True, 64)),
    ("new_shared", lambda: torch.UntypedStorage._new_shared(64)),
    ("share_fd", lambda: logits.clone().untyped_storage()._share_fd_cpu_()),
    ("share_filename", lambda: logits.clone().untyped_storage()._share_filename_cpu_()),
    ("new_shared_filename", lambda: torch.UntypedStorage._new_shared_filename_cpu(b"/x", b"/torch_1", 64)),
    ("new_shared_fd", lambda: torch.UntypedStorage._new_shared_fd_cpu(1, 64)),
    ("pickled", lambda: reduction.ForkingPickler.dumps(logits.clone())),
    ("manager", lambda: __import__("torch.multiprocessing").multiprocessing.get_context("fork").Manager()),
    ("safe_open", lambda: __import__("safetensors").safe_open("/tmp/shared", "pt")),
):
    try:
        print("BREACH" if act() is not None else "", name)
    except Exception as refused:
        print(name, type(refused).__name__, str(refused)[:50])
