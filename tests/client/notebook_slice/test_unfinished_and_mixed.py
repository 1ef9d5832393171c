"""Notebooks as students leave them: unfinished lines, placeholders, other exercises, torch's gradients, other names.

Each case is an exercise, cells, the checkpoints that pass (or None, if the notebook is refused), and words that must be
said; words after ``!`` must not be. No row may be wrong: what cannot be taken whole is not graded.
"""

from __future__ import annotations

import re

import pytest

from dojo.errors import BadFile
from grader.compare import Verdict
from grader.sandbox import Sandbox
from tests.client.notebook_slice.small_notebooks import BATCH_NORM as C3
from tests.client.notebook_slice.small_notebooks import CROSS_ENTROPY as C2
from tests.client.notebook_slice.small_notebooks import FULL as FULLS
from tests.client.notebook_slice.test_lectures import ANSWER, CHECK_GRADS, LOOP, STEPS, TRAINING, graded, read, replaced
from tests.client.notebook_slice.test_notebooks import COMPARE, NAMES, indented


def allbut(*names: str) -> set[str]:
    return set(NAMES) - set(names)


def upto(count: int) -> str:
    return "\n".join(STEPS[:count])


R = replaced
E1 = "# Exercise 1: backprop through the whole thing manually\n"
E2 = "# Exercise 2: backprop through cross_entropy but all in one go\n"
E3 = "# Exercise 3: backprop through batchnorm but all in one go\n"
E4 = "# Exercise 4: putting it all together\n"
P2 = E2 + "loss_fast = F.cross_entropy(logits, Yb)"
PH2 = (
    "# backward pass\n# -----------------\n# YOUR CODE HERE :)\n"
    "dlogits = None # TODO. my solution is 3 lines\n# -----------------\n"
    "#cmp('logits', dlogits, logits)"
)
PH3 = "dhprebn = None # TODO. my solution is 1 (long) line"
CE = "dlogits = F.softmax(logits, 1)\ndlogits[range(n), Yb] -= 1\ndlogits /= n"
CEcmp = CE + "\ncmp('logits', dlogits, logits)"
CEK = CEcmp.replace("dlogits", "klogits")
BN = "dhprebn = bngain*bnvar_inv/n * (n*dhpreact - dhpreact.sum(0) - n/(n-1)*bnraw*(dhpreact*bnraw).sum(0))"
WRONG = "dlogits = F.softmax(logits, 1) # ???\ndlogits[range(n), Yb] -= 1"
CASES = {
    "a module that is not there": (
        FULLS,
        ("from einops import rearrange", R((STEPS[29], "demb = rearrange(dembcat, 'b (t e) -> b t e', t=3)"))),
        allbut("emb", "C"),
        "it imports einops",
    ),
    "grad if it differs": (
        FULLS,
        (R((STEPS[11], STEPS[11] + "\ndh = h.grad if not torch.allclose(dh, h.grad) else dh")),),
        allbut(),
        "Your own dh above it counts.",
    ),
    "grad mixed in": (
        FULLS,
        (R((STEPS[11], STEPS[11] + "\ndh = dh + 0 * (h.grad - dh)")),),
        allbut(),
        "Your own dh above it counts.",
    ),
    "headings words only": (
        FULLS,
        ("md:# Becoming a ninja\n## Part 1 - the whole thing", ANSWER, "md:## Part 2", CE, "md:## Part 3", BN),
        allbut(),
        "",
    ),
    "heading ex1 in md bold": (FULLS, ("md:**Exercise 1**", ANSWER, "md:**Exercise 2**", WRONG), allbut(), ""),
    "ex1 after ex2": (FULLS, ("md:# Exercise 2", CE, "md:# Exercise 1", ANSWER), allbut(), ""),
    "ex1 continued after ex2": (
        FULLS,
        ("md:# Exercise 1", upto(11), "md:# Exercise 2", WRONG, "md:# Exercise 1, continued", "\n".join(STEPS[11:])),
        allbut(),
        "",
    ),
    "scratch at end": (
        FULLS,
        (ANSWER, "dlogits = torch.zeros_like(logits)\ndlogits[range(n), Yb] = 1\ntest = dlogits"),
        allbut(),
        "",
    ),
    "experiments reuse names": (
        FULLS,
        (E1 + ANSWER, COMPARE, "# toy example\ndh = torch.randn(3,4)\ndW2 = torch.randn(2)"),
        allbut(),
        "",
    ),
    "toy before": (FULLS, ("a = torch.randn(2,3)\ndh = a * 2", "db2 = dh.sum(0)", ANSWER), allbut(), ""),
    "helper names d": (
        FULLS,
        (R((STEPS[6], "dcounts2 = torch.ones_like(counts) * dcounts_sum\ndcounts += dcounts2")),),
        allbut(),
        "",
    ),
    "del": (FULLS, (ANSWER + "\ndel dcounts",), allbut(), ""),
    "cmp after del": (FULLS, (ANSWER, COMPARE + "\ndel dC, dW1"), allbut(), ""),
    "assert ge": (FULLS, (ANSWER + "\nassert dC.shape == C.shape\nassert torch.allclose(dC, C.grad)",), allbut(), ""),
    "print grads": (FULLS, (ANSWER + "\nprint((dC - C.grad).abs().max())",), allbut(), ""),
    "max diff var": (FULLS, (ANSWER + "\ndiff = (dC - C.grad).abs().max()\nprint(diff)",), allbut(), ""),
    "grad in dict compare": (
        FULLS,
        (
            ANSWER,
            "pairs = {'C': (dC, C.grad), 'h': (dh, h.grad)}\nfor k, (a, b) in pairs.items():\n"
            "    print(k, torch.allclose(a, b))",
        ),
        allbut(),
        "",
    ),
    "grad used for init": (
        FULLS,
        ("dlogprobs = torch.zeros_like(logprobs.grad)\n" + upto(3).split("\n", 1)[1],),
        None,
        ".grad",
    ),
    "ref grad below own": (
        FULLS,
        (R((STEPS[11], "dh = dlogits @ W2.T\ndh_true = h.grad")), "dh_err = dh - dh_true"),
        allbut(),
        "",
    ),
    "unfinished end": (FULLS, (ANSWER + "\ndlater =",), allbut(), "not finished"),
    "unfinished dh mid": (
        FULLS,
        (R((STEPS[11], "dh =")),),
        {
            "logprobs",
            "probs",
            "counts_sum_inv",
            "counts_sum",
            "counts",
            "norm_logits",
            "logit_maxes",
            "logits",
            "W2",
            "b2",
        },
        "dh",
    ),
    "unfinished call": (
        FULLS,
        (R((STEPS[6], "dcounts += torch.ones_like(counts")),),
        {"logprobs", "probs", "counts_sum_inv", "counts_sum"},
        "",
    ),
    "unfinished loop body": (
        FULLS,
        (R((LOOP, "for k in range(Xb.shape[0]):\n  for j in range(Xb.shape[1]):\n    dC[Xb[k,j]] +=")),),
        allbut("C"),
        "dC",
    ),
    "unfinished loop head": (FULLS, (R((LOOP, "for k in range(Xb.shape[0]")),), allbut("C"), ""),
    "unfinished in no_grad": (FULLS, ("with torch.no_grad():\n" + indented(R((LOOP, "dC ="))),), allbut("C"), ""),
    "unfinished in def": (
        FULLS,
        ("def go():\n" + indented(R((LOOP, "dC[ix] ="))) + "\n    return dlogits", "dlogits = go()"),
        allbut("C"),
        "",
    ),
    "unfinished own cell": (FULLS, (ANSWER, "dC ="), allbut(), ""),
    "prose": (FULLS, (ANSWER, "I do not get this line", "dC stays"), allbut(), ""),
    "two unfinished": (FULLS, (R((STEPS[12], "dW2 ="), (STEPS[13], "db2 = dlogits.sum(")),), allbut("W2", "b2"), ""),
    "merge markers": (FULLS, (ANSWER + "\n<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> theirs",), allbut(), ""),
    "ellipsis": (FULLS, (ANSWER, "dlogits = ..."), allbut(), ""),
    "str placeholder": (FULLS, (ANSWER, "dlogits = 'TODO'"), allbut(), ""),
    "none tuple": (FULLS, (ANSWER, "dlogits, dh = None, None"), allbut(), ""),
    "none chain": (FULLS, (ANSWER, "dlogits = dh = None"), allbut(), ""),
    "raise": (FULLS, (ANSWER, "raise NotImplementedError"), allbut(), ""),
    "starter after": (FULLS, (E1 + ANSWER, COMPARE, P2, PH2, E3, PH3), allbut(), ""),
    "starter after no headings": (
        FULLS,
        (ANSWER, COMPARE, "loss_fast = F.cross_entropy(logits, Yb)", PH2, "hpreact_fast = 0", PH3),
        allbut(),
        "",
    ),
    "placeholders above": (FULLS, ("dlogits = None\ndh = None", E1 + ANSWER), allbut(), ""),
    "placeholder for undone": (FULLS, (upto(3) + "\ndcounts = None",), {"logprobs", "probs"}, ""),
    "placeholder cmp": (FULLS, (upto(3), "dcounts = None\ncmp('counts', dcounts, counts)"), {"logprobs", "probs"}, ""),
    "ex2 done ex1": (
        FULLS,
        (E1 + ANSWER, COMPARE, P2, CEcmp, E3, BN + "\ncmp('hprebn', dhprebn, hprebn)"),
        allbut(),
        "",
    ),
    "ex2 wrong, ex1": (FULLS, (E1 + ANSWER, P2, WRONG), allbut(), ""),
    "klogits": (FULLS, (ANSWER, COMPARE, CEK), allbut(), ""),
    "klogits heading": (FULLS, (E1 + ANSWER, COMPARE, P2, CEK), allbut(), ""),
    "klogits wrong no headings": (
        FULLS,
        (ANSWER, COMPARE, "klogits = F.softmax(logits, 1)\ncmp('logits', klogits, logits)"),
        allbut(),
        "",
    ),
    "klogits no cmp before": (
        FULLS,
        (ANSWER, "klogits = F.softmax(logits, 1)\ncmp('logits', klogits, logits)"),
        allbut(),
        "",
    ),
    "only ex2 asked ex1": (FULLS, (P2, CEcmp), None, "exercise 2"),
    "ex2 asked done": (C2, (E1 + ANSWER, P2, CEcmp), {"logits"}, ""),
    "ex2 asked undone": (C2, (E1 + ANSWER, COMPARE, P2, PH2), None, "not there yet"),
    "ex2 asked nothing": (C2, (E1 + ANSWER, COMPARE), None, "not there yet"),
    "ex2 asked no headings": (C2, (ANSWER, COMPARE), None, "not there yet"),
    "ex2 asked no headings done": (C2, (ANSWER, COMPARE, CEcmp), {"logits"}, ""),
    "ex2 alone": (C2, (CE,), {"logits"}, ""),
    "ex2 alone one": (C2, ("dlogits = (F.softmax(logits, 1) - F.one_hot(Yb, 27)) / n",), {"logits"}, ""),
    "ex2 steps alone": (C2, (upto(11),), {"logits"}, ""),
    "ex2 klogits": (C2, (E1 + ANSWER, P2, CEK), {"logits"}, ""),
    "ex3 asked done": (C3, (E1 + ANSWER, P2, CE, E3, BN), {"hprebn"}, ""),
    "ex3 asked undone": (C3, (E1 + ANSWER, P2, CE, E3, PH3), None, "not there yet"),
    "ex3 no headings undone": (C3, (ANSWER, CE), None, "not there yet"),
    "ex3 no headings": (C3, (ANSWER, CE, BN), {"hprebn"}, ""),
    "ex3 uses own dhpreact": (C3, (E1 + ANSWER, E3 + "hpreact_fast = 0", BN), {"hprebn"}, ""),
    "ex4 alone": (FULLS, (E4 + TRAINING,), None, "exercise 4"),
    "ex4 alone no heading": (FULLS, (TRAINING, CHECK_GRADS), None, "exercise 4"),
    "ex4 alone for ex2": (C2, (E4 + TRAINING,), None, "exercise 4"),
    "all four": (FULLS, (E1 + ANSWER, COMPARE, P2, CEcmp, E3, BN, E4 + TRAINING, CHECK_GRADS), allbut(), ""),
    "own numbers of steps": (FULLS, tuple(f"# Exercise {i}\n{s}" for i, s in enumerate(STEPS, 1)), allbut(), ""),
    "half file": (
        FULLS,
        (
            upto(6),
            "k = float(open('k').read())",
            "dcounts += torch.ones_like(counts) * dcounts_sum * k",
            "dnorm_logits = counts * dcounts",
        ),
        {"logprobs", "probs", "counts_sum_inv", "counts_sum"},
        "file",
    ),
    "half by view": (FULLS, (upto(1), "import mylib\nrow = dlogprobs[0]", "row[0] = mylib.value(3)"), None, "mylib"),
    "half by helper": (FULLS, (upto(1), "from helpers import fill", "fill(dlogprobs)"), None, "helpers"),
    "half by helper keeps rest": (
        FULLS,
        (ANSWER, "from helpers import fill\ndW2 = fill(dW2)"),
        allbut("W2"),
        "helpers",
    ),
    "grad after own": (
        FULLS,
        (R((STEPS[14], STEPS[14] + "\ndhpreact = hpreact.grad.clone()")),),
        allbut(),
        "own dhpreact",
    ),
    "grad detach": (
        FULLS,
        (R((STEPS[14], STEPS[14] + "\ndhpreact = hpreact.grad.detach().clone() # cheat")),),
        allbut(),
        "own dhpreact",
    ),
    "grad next cell": (FULLS, (upto(15), "dhpreact = hpreact.grad", "\n".join(STEPS[15:])), allbut(), "own dhpreact"),
    "grad tuple": (
        FULLS,
        (upto(15), "dhpreact, dh = hpreact.grad, h.grad", "\n".join(STEPS[15:])),
        allbut(),
        "own dh, dhpreact",
    ),
    "grad if": (FULLS, (upto(15), "if True:\n    dhpreact = hpreact.grad", "\n".join(STEPS[15:])), allbut(), ""),
    "grad loop": (
        FULLS,
        (upto(15), "for t in [hpreact]:\n    dhpreact = t.grad", "\n".join(STEPS[15:])),
        allbut(),
        "own dhpreact",
    ),
    "grad upstream": (FULLS, (R((STEPS[2], "dprobs = (1/probs) * logprobs.grad")),), {"logprobs"}, "write dlogprobs"),
    "grad only": (FULLS, ("dh = h.grad",), None, ".grad"),
    "grad as upstream var": (FULLS, ("g = logits.grad", "dh = g @ W2.T"), None, "write dlogits"),
    "cuts below": (
        FULLS,
        (R((STEPS[14], "dhpreact = hpreact.grad")),),
        {
            "logprobs",
            "probs",
            "counts_sum_inv",
            "counts_sum",
            "counts",
            "norm_logits",
            "logit_maxes",
            "logits",
            "h",
            "W2",
            "b2",
        },
        ".grad",
    ),
    "label copied": (
        FULLS,
        (upto(3), "cmp('logprobs', dlogprobs, logprobs)\ncmp('logprobs', dprobs, probs)"),
        {"logprobs", "probs"},
        "",
    ),
    "swapped": (FULLS, (upto(3), "cmp('probs', probs, dprobs)"), {"logprobs", "probs"}, ""),
    "nametypo": (FULLS, (ANSWER, "dlogits = dlogitz * 2"), allbut(), "own dlogits"),
    "nametypo aug": (
        FULLS,
        (R((STEPS[6], "dcounts += torch.ones_like(counts) * dcounts_summ")),),
        {"logprobs", "probs", "counts_sum_inv", "counts_sum"},
        "dcounts_summ",
    ),
    "redefined n": (FULLS, ("n = 27", ANSWER), allbut(), ""),
    "yb by cross_entropy": (
        FULLS,
        ("x, t = get_batch()", "loss = F.cross_entropy(logits, t)", R(("Yb", "t"))),
        allbut(),
        "t as Yb",
    ),
    "batch names": (
        FULLS,
        (
            "bs = 32\nidx = torch.randint(0, X.shape[0], (bs,))\nxx, yy = X[idx], Y[idx]",
            R(("Yb", "yy"), ("Xb", "xx"), ("-1.0/n", "-1.0/bs")),
        ),
        allbut(),
        "yy as Yb",
    ),
    "Xtrain": (
        FULLS,
        (
            "ix = torch.randperm(len(X_train))[:32]\nx_b = X_train[ix]\ny_b = y_train[ix]",
            R(("Yb", "y_b"), ("Xb", "x_b")),
        ),
        allbut(),
        "y_b as Yb",
    ),
    "batch direct": (
        FULLS,
        (
            "inp = Xtr[torch.randint(0, 9, (32,))]\ntgt = Ytr[ix]\nemb = C[inp]\n"
            "loss = -logprobs[torch.arange(32), tgt].mean()",
            R(("Yb", "tgt"), ("Xb", "inp")),
        ),
        allbut(),
        "tgt as Yb",
    ),
    "for batch": (FULLS, ("for xb, yb in loader:\n    break", R(("Yb", "yb"), ("Xb", "xb"))), allbut(), "yb as Yb"),
    "hidden": (
        FULLS,
        (
            "hidden = torch.tanh(hpreact)",
            re.sub(r"\bh\b", "hidden", re.sub(r"\bdh\b", "dhidden", ANSWER)) + "\ncmp('hidden', dhidden, hidden)",
        ),
        allbut(),
        "hidden as h",
    ),
    "biased": (FULLS, ("bnvar = 1/n*(bndiff2).sum(0, keepdim=True)", ANSWER), allbut(), "bnvar"),
    "minus eps": (FULLS, ("bnvar_inv = (bnvar - 1e-5)**-0.5", ANSWER), allbut(), "bnvar_inv"),
    "var()": (FULLS, ("bnvar = hprebn.var(0, keepdim=True, unbiased=False)", ANSWER), allbut(), "your bnvar"),
    "mean": (FULLS, ("bnvar = bndiff2.mean(0, keepdim=True)", ANSWER), allbut(), "your bnvar"),
    "same forward": (
        FULLS,
        (
            "bnmeani = hprebn.mean(0, keepdim=True)\nbnvar = hprebn.var(0, keepdim=True)\n"
            "bnvar_inv = 1/torch.sqrt(bnvar + 1e-5)\ncounts_sum_inv = 1/counts_sum\n"
            "probs = F.softmax(logits, 1)\nlogprobs = F.log_softmax(logits, 1)\n"
            "h = hpreact.tanh()\nbnvar_inv = torch.rsqrt(bnvar + 1e-5)",
            ANSWER,
        ),
        allbut(),
        "!your",
    ),
    "compile": (
        FULLS,
        ("@torch.compile\ndef twice(a):\n    return a * 2", R(("2*bndiff", "twice(bndiff)"))),
        allbut(),
        "torch.compile",
    ),
    "one_hot": (
        FULLS,
        ("dlogprobs = -F.one_hot(Yb).float() / n", "dprobs = dlogprobs / probs"),
        {"logprobs", "probs"},
        "num_classes",
    ),
    "plots": (
        FULLS,
        (
            ANSWER,
            "import seaborn as sns\nsns.heatmap(dlogits)\nimport wandb\nwandb.log({'dC': dC})\n"
            "print(dC)\nfig, ax = plt.subplots()\nax.imshow(dlogits)\nrun = wandb.init()\n"
            "run.log({'d': dlogits})\nimport pandas as pd\ndf = pd.DataFrame(dlogits.numpy())\n"
            "df.plot()",
            COMPARE,
        ),
        allbut(),
        "",
    ),
    "update": (
        FULLS,
        (
            ANSWER,
            "lr = float(input())\nfor p, g in zip([C, W1], [dC, dW1]):\n    p.data += -lr * g\n"
            "C.data -= lr * dC\nopt = torch.optim.SGD([C, W1], lr=lr)\nopt.step()",
        ),
        allbut(),
        "",
    ),
    "stats": (
        FULLS,
        (
            ANSWER,
            "grads = [dC, dW1]\nstats = open('s.txt', 'w')\nfor g in grads:\n"
            "    stats.write(str(g.std()))\nnorms = [g.norm() for g in grads]\ngrads.append(stats)",
        ),
        allbut(),
        "",
    ),
}


@pytest.mark.parametrize("case", [name for name, case in CASES.items() if case[2] is not None])
def test_an_answer_is_taken_whole_or_not_at_all(case: str, sandbox: Sandbox) -> None:
    slug, cells, passing, words = CASES[case]

    found = read(cells, slug)
    rows = graded(found, sandbox, slug).checkpoints

    assert {row.name for row in rows if row.passed} == passing, (found.remarks, found.source)
    assert not [row.line() for row in rows if not row.passed and row.verdict is not Verdict.MISSING], found.source
    assert (words.lstrip("!") in " ".join(found.remarks)) is not words.startswith("!"), found.remarks


@pytest.mark.parametrize("case", [name for name, case in CASES.items() if case[2] is None])
def test_a_file_without_an_answer_is_refused_with_the_reason(case: str) -> None:
    slug, cells, _, words = CASES[case]

    with pytest.raises(BadFile) as caught:
        read(cells, slug)

    assert words in caught.value.message


def test_no_sentence_is_long() -> None:
    for slug, cells, _, _ in CASES.values():
        try:
            said = read(cells, slug).remarks
        except BadFile as error:
            said = (error.message, error.next_step)
        for sentence in re.split(r"(?<=[.:;])\s", " ".join(said)):
            assert len(re.sub(r"So [\w, ]+ not graded", "So x is not graded", sentence).split()) <= 25, sentence
