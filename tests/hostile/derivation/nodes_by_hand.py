# expect: ok wrong denied error
# tries: the graph without the engine: its nodes called one after the other, from the loss to the logits
leaf = logits.clone().requires_grad_()
loss = F.cross_entropy(leaf, Yb)
value, node = torch.ones(()), loss.grad_fn
while node is not None and "Accumulate" not in node.name():
    value = node(value)
    value = value[0] if isinstance(value, tuple) else value
    node = node.next_functions[0][0]
dlogits = value
cmp("logits", dlogits, logits)
