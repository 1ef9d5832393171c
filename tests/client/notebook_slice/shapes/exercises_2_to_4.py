"""Notebooks with several exercises."""

from __future__ import annotations

from tests.client.notebook_slice.shapes.shape import (
    ALL,
    BATCH_NORM,
    COMPARED,
    CROSS_ENTROPY,
    LECTURE,
    SETUP,
    Shape,
    names,
)

ONE = ("# Exercise 1: backprop through the whole thing manually\n" + LECTURE, COMPARED)
TWO_HEAD = "# Exercise 2: backprop through cross_entropy but all in one go\nloss_fast = F.cross_entropy(logits, Yb)"
THREE_HEAD = (
    "# Exercise 3: backprop through batchnorm but all in one go\n"
    "hpreact_fast = bngain * (hprebn - hprebn.mean(0, keepdim=True)) / "
    "torch.sqrt(hprebn.var(0, keepdim=True, unbiased=True) + 1e-5) + bnbias"
)
K_WRONG = "klogits = F.softmax(logits, 1)\nklogits[range(n), Yb] -= 1\ncmp('logits', klogits, logits)"
K_RIGHT = K_WRONG.replace("-= 1\n", "-= 1\nklogits /= n\n")
TWO = "dlogits = F.softmax(logits, 1)\ndlogits[range(n), Yb] -= 1\ndlogits /= n\ncmp('logits', dlogits, logits)"
THREE = (
    "dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))\n"
    "cmp('hprebn', dhprebn, hprebn)"
)
TRAINING = """# Exercise 4: putting it all together!
max_steps = 200000
batch_size = 32
n = batch_size
C = torch.randn((vocab_size, n_embd), generator=g)
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
with torch.no_grad():
  for i in range(max_steps):
    ix = torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)
    Xb, Yb = Xtr[ix], Ytr[ix]
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    hprebn = embcat @ W1 + b1
    logits = torch.tanh(hprebn) @ W2 + b2
    dlogits = F.softmax(logits, 1)
    dlogits[range(n), Yb] -= 1
    dlogits /= n
    dh = dlogits @ W2.T
    dW2 = torch.tanh(hprebn).T @ dlogits
    grads = [dh, dW2]
    for p, grad in zip(parameters, grads):
      p.data += -0.1 * grad"""
ONLY_LOGITS, ONLY_HPREBN = names("logits"), names("hprebn")

SHAPES = (
    Shape("exercise 2 under another name, and wrong: exercise 1 stays", (*SETUP, *ONE, TWO_HEAD, K_WRONG), passes=ALL),
    Shape(
        "exercise 2 under another name", (*SETUP, *ONE, TWO_HEAD, K_RIGHT), exercise=CROSS_ENTROPY, passes=ONLY_LOGITS
    ),
    Shape(
        "exercise 2 under another name, and wrong: exercise 1 does not pass it",
        (*SETUP, *ONE, TWO_HEAD, K_WRONG),
        exercise=CROSS_ENTROPY,
        wrong=ONLY_LOGITS,
    ),
    Shape(
        "exercise 2 is asked for and is a placeholder",
        (*SETUP, *ONE, TWO_HEAD, "dlogits = None # TODO. my solution is 3 lines\n#cmp('logits', dlogits, logits)"),
        exercise=CROSS_ENTROPY,
    ),
    Shape("exercise 2 is asked for and has a heading alone", (*SETUP, *ONE, TWO_HEAD), exercise=CROSS_ENTROPY),
    Shape(
        "exercise 3 is asked for and not finished",
        (*SETUP, *ONE, THREE_HEAD, "dhprebn = bngain*bnvar_inv/n * ("),
        exercise=BATCH_NORM,
    ),
    Shape(
        "exercise 3 with its heading in markdown",
        (*SETUP, *ONE, "md:### Exercise 3: batchnorm backward, all in one go", THREE),
        exercise=BATCH_NORM,
        passes=ONLY_HPREBN,
    ),
    Shape(
        "exercise 3, wrong, below a right exercise 1",
        (*SETUP, *ONE, THREE_HEAD, THREE.replace("n/(n-1)*bnraw", "bnraw*bnvar_inv")),
        exercise=BATCH_NORM,
        wrong=ONLY_HPREBN,
    ),
    Shape("a training notebook alone", (*SETUP[:3], TRAINING), says=("exercise 4|train",)),
    Shape(
        "all in one notebook with a training loop",
        (*SETUP, *ONE, TWO_HEAD, TWO, THREE_HEAD, THREE, TRAINING),
        passes=ALL,
    ),
    Shape(
        "a fast version without headings, and wrong",
        (*SETUP, LECTURE, COMPARED, "# now the fast version\n" + TWO.replace("dlogits /= n\n", "")),
        passes=ALL,
    ),
    Shape(
        "exercise 2 first, then exercise 1",
        (*SETUP, TWO_HEAD, TWO, *ONE),
        exercise=CROSS_ENTROPY,
        passes=ONLY_LOGITS,
    ),
)
