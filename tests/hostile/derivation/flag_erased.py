# expect: ok denied
# tries: to let torch derive, and to take the harness's note of it away
import sys

p = logits.clone().requires_grad_()
F.cross_entropy(p, Yb).backward()
dlogits = p.grad
attempt = sys._getframe().f_back.f_locals["self"]
object.__setattr__(attempt._program, "flags", ())
