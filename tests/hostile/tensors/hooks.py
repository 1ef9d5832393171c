# expect: wrong error
# tries: answers with hooks and saved history, which run code when the harness detaches or copies them
def hook(*ignored):
    raise SystemExit(0)


leaf = torch.zeros(32, 27, requires_grad=True)
leaf.register_hook(hook)
with torch.autograd.graph.saved_tensors_hooks(hook, hook):
    try:
        dprobs = leaf.tanh()
    except SystemExit:
        dprobs = leaf + 1
dprobs.register_hook(hook)
dlogprobs = leaf
torch._C._autograd._push_saved_tensors_default_hooks(hook, hook)
cmp("logprobs", dlogprobs, logprobs)
cmp("probs", dprobs, probs)
