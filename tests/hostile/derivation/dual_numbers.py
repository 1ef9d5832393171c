# expect: ok wrong denied error time_limit
# tries: forward mode, one direction at a time, by names that are put together
dual = getattr(torch, "auto" + "grad").forward_ad
dlogits = torch.zeros_like(logits)
with dual.dual_level():
    for row in range(32):
        for column in range(27):
            direction = torch.zeros_like(logits)
            direction[row, column] = 1
            out = F.cross_entropy(dual.make_dual(logits.clone(), direction), Yb)
            dlogits[row, column] = dual.unpack_dual(out).tangent
cmp("logits", dlogits, logits)
