"""The form of a small notebook or script with what must come of it, and the parts that many of them share."""

from __future__ import annotations

from dataclasses import dataclass, field

from exercises.registry import find
from tests.styles.catalogue import load

FULL, CROSS_ENTROPY, BATCH_NORM = "makemore/full-backward", "makemore/cross-entropy", "makemore/batch-norm"
ALL = frozenset(checkpoint.name for checkpoint in find(FULL).checkpoints)


def names(text: str) -> frozenset[str]:
    """``"probs h"`` → the two names."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Shape:
    """A notebook of ``cells`` (a text that begins with ``md:`` is markdown), or a ``script``.

    ``passes`` must pass; ``wrong`` are the student's own mistakes; ``either`` may pass or be missing; every other
    checkpoint must be missing. ``says`` must stand in what the student reads, case ignored: of ``a|b`` one. ``silent``
    must not.
    """

    name: str
    cells: tuple[str, ...] = ()
    script: str = ""
    exercise: str = FULL
    passes: frozenset[str] = frozenset()
    wrong: frozenset[str] = frozenset()
    either: frozenset[str] = frozenset()
    says: tuple[str, ...] = ()
    silent: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return self.name


LECTURE = next(style.source for style in load() if style.exercise == FULL)
LINES = LECTURE.rstrip("\n").split("\n")
TOP = "\n".join(LINES[: LINES.index("dh = dlogits @ W2.T")])
TOP_NAMES = names("logprobs probs counts_sum_inv counts_sum counts norm_logits logit_maxes logits")
BELOW_TOP = "\n".join(LINES[LINES.index("dh = dlogits @ W2.T") :])
LOOP = "\n".join(LINES[LINES.index("for k in range(Xb.shape[0]):") :])
BEFORE_LOOP = "\n".join(LINES[: LINES.index("for k in range(Xb.shape[0]):")])
BEFORE_DC = "\n".join(LINES[: LINES.index("dC = torch.zeros_like(C)")])

LOGPROBS = "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0/n"
READING = """words = open('names.txt', 'r').read().splitlines()
chars = sorted(list(set(''.join(words))))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi['.'] = 0
def build_dataset(words):
    X, Y = [], []
    for w in words:
        context = [0] * 3
        for ch in w + '.':
            X.append(context)
            Y.append(stoi[ch])
            context = context[1:] + [stoi[ch]]
    return torch.tensor(X), torch.tensor(Y)
Xtr, Ytr = build_dataset(words)
"""
PARAMETERS = """g = torch.Generator().manual_seed(2147483647)
n_embd, n_hidden, vocab_size, block_size = 10, 64, 27, 3
C = torch.randn((vocab_size, n_embd), generator=g)
W1 = torch.randn((n_embd * block_size, n_hidden), generator=g) * (5/3) / ((n_embd * block_size)**0.5)
b1 = torch.randn(n_hidden, generator=g) * 0.1
W2 = torch.randn((n_hidden, vocab_size), generator=g) * 0.1
b2 = torch.randn(vocab_size, generator=g) * 0.1
bngain = torch.randn((1, n_hidden)) * 0.1 + 1.0
bnbias = torch.randn((1, n_hidden)) * 0.1
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
for p in parameters:
    p.requires_grad = True
"""
BATCH = """batch_size = 32
n = batch_size
ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)
Xb, Yb = Xtr[ix], Ytr[ix]
"""
FORWARD = """emb = C[Xb]
embcat = emb.view(emb.shape[0], -1)
hprebn = embcat @ W1 + b1
bnmeani = 1/n*hprebn.sum(0, keepdim=True)
bndiff = hprebn - bnmeani
bndiff2 = bndiff**2
bnvar = 1/(n-1)*(bndiff2).sum(0, keepdim=True)
bnvar_inv = (bnvar + 1e-5)**-0.5
bnraw = bndiff * bnvar_inv
hpreact = bngain * bnraw + bnbias
h = torch.tanh(hpreact)
logits = h @ W2 + b2
logit_maxes = logits.max(1, keepdim=True).values
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdims=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[range(n), Yb].mean()
for p in parameters:
    p.grad = None
for t in [logprobs, probs, counts, counts_sum, counts_sum_inv, norm_logits, logit_maxes, logits, h, hpreact, bnraw,
          bnvar_inv, bnvar, bndiff2, bndiff, hprebn, bnmeani, embcat, emb]:
    t.retain_grad()
loss.backward()
"""
CMP = """def cmp(s, dt, t):
    ex = torch.all(dt == t.grad).item()
    app = torch.allclose(dt, t.grad)
    maxdiff = (dt - t.grad).abs().max().item()
    print(f'{s:15s} | exact: {str(ex):5s} | approximate: {str(app):5s} | maxdiff: {maxdiff}')
"""
IMPORTS = "import torch\nimport torch.nn.functional as F\nimport matplotlib.pyplot as plt\n"
SETUP = (IMPORTS, READING, PARAMETERS + BATCH, FORWARD, CMP)
ORDER = tuple(checkpoint.name for checkpoint in find(FULL).checkpoints)
COMPARED = "\n".join(f"cmp('{name}', d{name}, {name})" for name in ORDER)


def indented(text: str, by: str = "    ") -> str:
    return "\n".join(by + line if line else line for line in text.split("\n"))


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text
