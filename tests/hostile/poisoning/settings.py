# expect: wrong
# tries: torch's own settings, left as they should not be: types, devices, warnings, autocast, denormals, printing
import warnings

warnings.simplefilter("error")
torch.set_default_dtype(torch.float16)
torch.set_flush_denormal(True)
torch.set_warn_always(True)
torch.set_printoptions(threshold=10**9, linewidth=10**9)
torch.set_grad_enabled(True)
torch.set_float32_matmul_precision("medium")
torch.autocast("cpu", dtype=torch.bfloat16).__enter__()
torch.inference_mode().__enter__()
dlogprobs = (logprobs @ logprobs.T).requires_grad
dprobs = torch.ones(32, 32) @ torch.ones(32, 27) * 1e-42
