# expect: ok denied error
# tries: the engine below torch.autograd: C functions that no scan and no patched method sees
engine = torch._C._ImperativeEngine() if hasattr(torch._C, "_ImperativeEngine") else torch._C._EngineBase()
p = logits.clone()
torch._C.TensorBase.requires_grad.__set__(p, True)
loss = F.cross_entropy(p, Yb)
(dlogits,) = engine.run_backward(
    (loss,), (torch.ones(()),), False, False, (p,), allow_unreachable=True, accumulate_grad=False
)
