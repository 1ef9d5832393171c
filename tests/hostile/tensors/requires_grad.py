# expect: wrong
# tries: answers that drag a graph with hooks behind them
def hook(*ignored):
    raise SystemExit("a hook ran")


dlogprobs = logprobs.clone().requires_grad_()
dlogprobs.register_hook(hook)
dprobs = dlogprobs * 2
dprobs.retain_grad()
dcounts = torch.nn.Parameter(counts)
cmp("logprobs", dprobs, logprobs)
