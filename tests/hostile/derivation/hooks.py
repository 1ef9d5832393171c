# expect: ok wrong denied
# tries: to have the gradients called out by hooks, while the engine runs for a tensor that nobody asks about
seen = {}
leaf = logits.clone()
getattr(leaf, "requires" + "_grad_")()
step = leaf.log_softmax(1)
getattr(step, "register" + "_hook")(lambda value: seen.update(logprobs=value))
getattr(leaf, "register" + "_hook")(lambda value: seen.update(logits=value))
getattr(-step[range(n), Yb].mean(), "back" + "ward")()
dlogprobs, dlogits = seen["logprobs"], seen["logits"]
