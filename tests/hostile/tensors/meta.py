# expect: wrong
# tries: tensors without data: meta, fake, uninitialised, zero tensors, undefined ones
dlogprobs = torch.empty(logprobs.shape, device="meta")
try:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True):
        dprobs = torch.empty(probs.shape)
except ImportError:
    dprobs = torch.empty(probs.shape, device="meta").T
dcounts = torch.nn.parameter.UninitializedParameter()
dlogits = torch._efficientzerotensor(logits.shape)
dh = torch.nn.parameter.UninitializedBuffer() if hasattr(torch.nn.parameter, "UninitializedBuffer") else None
cmp("logprobs", dlogprobs, logprobs)
cmp("probs", dprobs, probs)
