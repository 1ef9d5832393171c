"""Right backward passes for the last exercise: as statements, as a function, and in the lecture's loop."""

from __future__ import annotations

import textwrap

from exercises.registry import find

STATEMENTS = find("makemore/train").solution
_NAMES = "Xb Yb C W1 W2 embcat emb bngain bnraw bnvar_inv h logits n".split()
_LOOP = """
n_embd = 10
g = torch.Generator().manual_seed(2147483647)
C = torch.randn((27, n_embd), generator=g)
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
for p in parameters:
    p.requires_grad = True
lossi = []
with torch.no_grad():
    for i in range(200000):
        ix = torch.randint(0, Xtr.shape[0], (32,), generator=g)
        Xb, Yb = Xtr[ix], Ytr[ix]
        emb = C[Xb]
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Yb)
        for p in parameters:
            p.grad = None
{backward}
        grads = [dC, dW1, db1, dW2, db2, dbngain, dbnbias]
        for p, grad in zip(parameters, grads):
            p.data += -0.1 * grad
        lossi.append(loss.log10().item())
"""
_BY_HAND = """for k in range(Xb.shape[0]):
            for j in range(Xb.shape[1]):
                ix = Xb[k, j]
                dC[ix] += demb[k, j]"""


def function(**changed: str) -> str:
    """Return the code of ``backward(state)``, with other expressions for some of the gradients that it returns."""
    returned = {f"d{name}": f"d{name}" for name in ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")} | changed
    lines = [f"{name} = state[{name!r}]" for name in _NAMES]
    body = "\n".join(lines) + "\n" + STATEMENTS.partition("ignore-errors\n")[2]
    shown = ", ".join(f"{name!r}: {expression}" for name, expression in returned.items())
    return f"def backward(state):\n{textwrap.indent(body, '    ')}\n    return {{{shown}}}\n"


FUNCTION = function()


def training_cell() -> str:
    """Return the lecture's last cell, with its loop."""
    backward = textwrap.indent(STATEMENTS.partition("ignore-errors\n")[2], " " * 8)
    backward = backward.replace("dC.index_add_(0, Xb.view(-1), demb.view(-1, C.shape[1]))", _BY_HAND)
    return _LOOP.replace("{backward}", backward)
