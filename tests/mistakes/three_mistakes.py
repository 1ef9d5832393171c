"""The lecture's flow in a notebook with three mistakes in it, a cell a step, and what each cell must be told.

``cmp`` stands for ``ex.cmp`` of a notebook: it sends what it is given, with the other gradients of the namespace as
context. Some of these are half made at that time (``dcounts``, ``dlogits``, ``dbndiff``, ``dhprebn``), as in the
lecture. ``passed`` stands for exact, approximate and rounding.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A cell, and the outcome of each name that it compares: ``passed``, ``own`` or ``inherited``.

    ``codes`` are the kinds that name the cell's own mistake rightly.
    """

    source: str
    outcomes: dict[str, str]
    codes: frozenset[str] = frozenset()


def _cell(source: str, codes: str = "", **outcomes: str) -> Cell:
    compared = "".join(f"\ncmp('{name}', d{name}, {name})" for name in outcomes)
    return Cell(source + compared, outcomes, frozenset(codes.split()))


CELLS = (
    _cell("dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0/n", logprobs="passed"),
    # The first mistake: the derivative of the logarithm is 1/probs.
    _cell("dprobs = probs * dlogprobs", "missing_local", probs="own"),
    _cell("dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)", counts_sum_inv="inherited"),
    _cell(
        "dcounts = counts_sum_inv * dprobs\ndcounts_sum = (-counts_sum**-2) * dcounts_sum_inv", counts_sum="inherited"
    ),
    _cell("dcounts += torch.ones_like(counts) * dcounts_sum", counts="inherited"),
    _cell("dnorm_logits = counts * dcounts", norm_logits="inherited"),
    # Whatever dprobs is, the rows of dnorm_logits sum to 0.
    _cell("dlogits = dnorm_logits.clone()\ndlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)", logit_maxes="passed"),
    _cell(
        "dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes", logits="inherited"
    ),
    _cell(
        "dh = dlogits @ W2.T\ndW2 = h.T @ dlogits\ndb2 = dlogits.sum(0)", h="inherited", W2="inherited", b2="inherited"
    ),
    # The second: the derivative of the sigmoid for that of tanh.
    _cell("dhpreact = h * (1.0 - h) * dh", "missing_local", hpreact="own"),
    _cell("dbngain = (bnraw * dhpreact).sum(0, keepdim=True)", bngain="inherited"),
    _cell("dbnbias = dhpreact.sum(0, keepdim=True)", bnbias="inherited"),
    _cell("dbnraw = bngain * dhpreact", bnraw="inherited"),
    _cell("dbndiff = bnvar_inv * dbnraw\ndbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)", bnvar_inv="inherited"),
    # The third: the power of the forward pass, and the minus.
    _cell("dbnvar = 0.5*(bnvar + 1e-5)**-0.5 * dbnvar_inv", "missing_local sign", bnvar="own"),
    _cell("dbndiff2 = (1.0/(n-1))*torch.ones_like(bndiff2) * dbnvar", bndiff2="inherited"),
    _cell("dbndiff += (2*bndiff) * dbndiff2", bndiff="inherited"),
    _cell("dhprebn = dbndiff.clone()\ndbnmeani = (-dbndiff).sum(0)", bnmeani="inherited"),
    _cell("dhprebn += 1.0/n * (torch.ones_like(hprebn) * dbnmeani)", hprebn="inherited"),
    # The columns of dhprebn sum to 0.
    _cell(
        "dembcat = dhprebn @ W1.T\ndW1 = embcat.T @ dhprebn\ndb1 = dhprebn.sum(0)",
        embcat="inherited",
        W1="inherited",
        b1="passed",
    ),
    _cell("demb = dembcat.view(emb.shape)", emb="inherited"),
    _cell(
        "dC = torch.zeros_like(C)\n"
        "for k in range(Xb.shape[0]):\n"
        "  for j in range(Xb.shape[1]):\n"
        "    ix = Xb[k,j]\n"
        "    dC[ix] += demb[k,j]",
        C="inherited",
    ),
)
