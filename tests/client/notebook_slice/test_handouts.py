"""Hand-outs under other names, and forward passes of a student's own."""

from __future__ import annotations

import pytest

from grader.compare import Verdict
from grader.sandbox import Sandbox
from tests.client.notebook_slice.small_notebooks import BATCH_NORM
from tests.client.notebook_slice.small_notebooks import read as read_small
from tests.client.notebook_slice.test_lectures import ANSWER, graded, read
from tests.client.notebook_slice.test_lectures import replaced as R
from tests.client.notebook_slice.test_notebooks import NAMES


def allbut() -> set[str]:
    return set(NAMES)


# Cells, the checkpoints that pass, and words that must be said; words after ``!`` must not be.
CASES = {
    "own forward other names": (
        (
            "x = C[Xb]\nxc = x.view(32, -1)\nz = xc @ W1 + b1\nmu = z.mean(0, keepdim=True)\n"
            "v = z.var(0, keepdim=True)\nzn = (z - mu) / torch.sqrt(v + 1e-5)\n"
            "a = bngain * zn + bnbias\nact = torch.tanh(a)\nlg = act @ W2 + b2\n"
            "p = F.softmax(lg, 1)",
            "dlogits = p.clone()\ndlogits[range(n), Yb] -= 1\ndlogits /= n\ndh = dlogits @ W2.T\n"
            "dW2 = act.T @ dlogits\ndb2 = dlogits.sum(0)\ndhpreact = (1 - act**2) * dh",
        ),
        {"logits", "h", "W2", "b2", "hpreact"},
        "",
    ),
    "renamed all": (
        (
            "x = C[Xb]\nlg = h @ W2 + b2\np = F.softmax(lg, 1)",
            "dlg = p - F.one_hot(Yb, 27)\ndlg = dlg / n\ncmp('lg', dlg, lg)",
        ),
        {"logits"},
        "lg as logits",
    ),
    "n by shape": (
        (
            "N = Yb.shape[0]\nB, T = Xb.shape",
            ANSWER.replace("/n", "/N").replace("range(n)", "range(N)").replace("(n-1)", "(N-1)"),
        ),
        allbut(),
        "",
    ),
    "const": ((ANSWER.replace("/n", "/32").replace("range(n)", "range(32)").replace("(n-1)", "31"),), allbut(), ""),
    "bs in randint": (
        (
            "mb = 32\nix = torch.randint(0, Xtr.shape[0], (mb,), generator=g)\nXb, Yb = Xtr[ix], Ytr[ix]",
            ANSWER.replace("/n", "/mb").replace("range(n)", "range(mb)").replace("(n-1)", "(mb-1)"),
        ),
        allbut(),
        "mb as n",
    ),
    "Y lower swapped": (
        ("Y_, X_ = Ytr[ix], Xtr[ix]\nix = torch.randint(0, 5, (32,))", R(("Yb", "Y_"), ("Xb", "X_"))),
        allbut(),
        "Y_ as Yb",
    ),
    "three sets": (
        (
            "xb, yb = Xtr[ix], Ytr[ix]\nix = torch.randint(0, 5, (32,))\nxd, yd = Xdev[ix], Ydev[ix]",
            R(("Yb", "yb"), ("Xb", "xb")),
        ),
        allbut(),
        "yb as Yb",
    ),
    "rand rows": (
        (
            "rows = torch.randperm(len(Xtr))[:32]\ninputs, targets = Xtr[rows], Ytr[rows]",
            R(("Yb", "targets"), ("Xb", "inputs")),
        ),
        allbut(),
        "targets as Yb",
    ),
    "index_select": (
        (
            "ix = torch.randint(0, 5, (32,))\nxb = Xtr.index_select(0, ix)\nyb = torch.index_select(Ytr, 0, ix)",
            R(("Yb", "yb"), ("Xb", "xb")),
        ),
        allbut(),
        "yb as Yb",
    ),
    "slice batch": (
        ("xb, yb = Xtr[:32], Ytr[:32]\nemb = C[xb]\nloss = F.cross_entropy(logits, yb)", R(("Yb", "yb"), ("Xb", "xb"))),
        allbut(),
        "yb as Yb",
    ),
    "slice batch no use": (("xb, yb = Xtr[:32], Ytr[:32]", R(("Yb", "yb"), ("Xb", "xb"))), allbut(), "yb as Yb"),
    "to device": (
        (
            "ix = torch.randint(0, 5, (32,))\nxb, yb = Xtr[ix].to('cpu'), Ytr[ix].to('cpu')",
            R(("Yb", "yb"), ("Xb", "xb")),
        ),
        allbut(),
        "yb as Yb",
    ),
    "copy of hand-out": (("targets = Yb\nxs = Xb.clone()", R(("Yb", "targets"), ("Xb", "xs"))), allbut(), ""),
    "eps none": (("bnvar_inv = bnvar**-0.5", ANSWER), allbut(), "your bnvar_inv"),
    "relu": (("h = torch.relu(hpreact)", ANSWER), allbut(), "your h "),
    "sigmoid": (("h = torch.sigmoid(hpreact)", ANSWER), allbut(), "your h "),
    "no bias": (("hprebn = embcat @ W1", ANSWER), allbut(), "your hprebn"),
    "layernorm dim": (("bnmeani = 1/n*hprebn.sum(1, keepdim=True)", ANSWER), allbut(), "your bnmeani"),
    "loss sum": (("loss = -logprobs[range(n), Yb].sum()", ANSWER), allbut(), "your loss"),
    "loss same": (
        (
            "loss = F.cross_entropy(logits, Yb)\nloss = -logprobs[torch.arange(n), Yb].sum() / n\n"
            "loss = F.nll_loss(logprobs, Yb)",
            ANSWER,
        ),
        allbut(),
        "!your",
    ),
    "same max": (
        (
            "logit_maxes = logits.amax(1, keepdim=True)\n"
            "logit_maxes, _ = logits.max(1, keepdim=True)\n"
            "logit_maxes = torch.max(logits, dim=1, keepdim=True)[0]\n"
            "counts_sum = torch.sum(counts, dim=1, keepdim=True)\nprobs = counts / counts_sum\n"
            "emb = F.embedding(Xb, C)\nembcat = torch.cat(torch.unbind(emb, 1), 1)\n"
            "hprebn = torch.addmm(b1, embcat, W1)",
            ANSWER,
        ),
        allbut(),
        "!your",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_own_names_are_recognised(case: str, sandbox: Sandbox) -> None:
    cells, passing, words = CASES[case]

    found = read(cells)
    rows = graded(found, sandbox).checkpoints

    assert {row.name for row in rows if row.passed} == passing, (found.remarks, found.source)
    assert not [row.line() for row in rows if not row.passed and row.verdict is not Verdict.MISSING], found.source
    assert (words.lstrip("!") in " ".join(found.remarks)) is not words.startswith("!"), found.remarks


def test_what_is_recognised_is_said_at_once() -> None:
    found = read_small("bs = 32\nix = torch.randint(0, 9, (bs,))\nxb, yb = Xtr[ix], Ytr[ix]", "dh = h * yb.sum() / bs")
    assert found.source == "# --- cell 2 ---\ndh = h * Yb.sum() / n\n"
    assert found.remarks == ("Taken as handed out: xb as Xb, yb as Yb, bs as n.",)


@pytest.mark.parametrize(
    "batch", ["xb, yb = 0, Ytr[ix]", "yb = Ydev[ix]\nix = torch.randint(0, 9, (3,))", "yb = load()"]
)
def test_other_rows_are_not_the_batch(batch: str) -> None:
    found = read_small(batch, "dW2 = W2", "dh = h * yb.sum()")
    assert "dh" not in found.source


def test_own_random_numbers_are_no_hand_out() -> None:
    found = read_small("layer = torch.nn.Linear(64, 27)", "dW2 = W2", "dh = logits @ layer.weight")
    assert found.remarks == (
        "Cell 1, line 1 is left out: it draws random numbers, and the exercise hands out its own. So dh is not graded.",
    )


def test_where_the_exercises_name_is_made_nothing_else_is_meant_by_it() -> None:
    batch = "ix = torch.randint(0, 9, (n,))\nXb, Yb = Xtr[ix], Ytr[ix]\nn = 32"
    evaluation = "def loss_of(x, y):\n    emb = C[x]\n    return F.cross_entropy(emb.sum(1), y)\nemb = C[Xtr]"
    found = read_small(batch, evaluation, "dh = h * Yb.sum()")
    assert found.remarks == ()


def test_the_batch_is_what_is_drawn_and_not_all_rows() -> None:
    found = read_small("ix = torch.randint(0, 9, (n,))\nxb = Xtr[ix]", "emb = C[Xall]", "dh = h * xb.sum()")
    assert found.remarks == ("Taken as handed out: xb as Xb.",)


def test_parameters_that_are_drawn_again_are_recognised() -> None:
    drawn = "gain = torch.randn((1, n_hidden)) * 0.1 + 1.0"
    found = read_small(drawn, "dh = h * gain", f"# once more, for the training\n{drawn}")
    assert found.remarks == ("Taken as handed out: gain as bngain.",)


def test_a_reading_in_which_a_name_is_missing_is_not_preferred() -> None:
    cells = (
        "def go():\n    dlogits = logits * 2\n    dh = dlogitz @ W2.T\n    dC = C * dh.sum()\n    return dC",
        "dC = go()",
    )
    found = read_small(*cells)
    assert "dlogits = logits * 2" in found.source
    assert "dlogitz has no value before it. So dh, dC are not graded." in found.remarks[0]


def test_a_gradient_that_is_handed_out_has_an_own_name_too() -> None:
    cells = (
        "linear = hprebn * 1.0\nscaled = bngain * bnraw + bnbias",
        "# Exercise 1\ndscaled = mystery",
        "# Exercise 3\ndhprebn = bngain * dscaled",
    )
    assert read_small(*cells, slug=BATCH_NORM).source.endswith("dhprebn = bngain * dhpreact\n")
