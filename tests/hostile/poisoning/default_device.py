# expect: wrong error
# tries: defaults under which the harness's tensors are born on the meta device, in double, for inference
try:
    torch.set_default_device("meta")
except ImportError as refused:
    print(refused)
torch.set_default_dtype(torch.float64)
torch._C._set_grad_enabled(False)
guard = torch.inference_mode()
guard.__enter__()
torch.set_printoptions(threshold=10**9)
torch._C._set_deterministic_algorithms(True, warn_only=False)
torch.utils.deterministic.fill_uninitialized_memory = True
dlogprobs = torch.zeros(32, 27)
