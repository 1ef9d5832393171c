# expect: ok denied
# tries: the same without a word in the source that says so
ask, go = "requires" + "_grad_", "back" + "ward"
p = getattr(logits.clone(), ask)()
loss = F.cross_entropy(p, Yb)
getattr(torch, "auto" + "grad")
getattr(loss, go)()
dlogits = getattr(p, "gr" + "ad")
cmp("logits", dlogits, logits)
