# expect: output_limit wrong error crashed
# tries: to end by the harness's own way out for too much output, with its answers taken along
import sys

attempt = sys._getframe().f_back.f_locals["self"]
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0 / n
attempt._overflow()
