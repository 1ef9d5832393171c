"""Sentences that an examiner found false or misleading: each is as weak as what was verified, or names the cause."""

from __future__ import annotations

import pytest

from exercises.instance import Instance
from exercises.registry import exercises, find
from grader.compare import Comparison, Origin
from tests.mistakes.play import play

FULL, ENTROPY, NORM = "makemore/full-backward", "makemore/cross-entropy", "makemore/batch-norm"
CANONICAL = {slug: Instance.canonical(exercise) for slug, exercise in exercises().items()}

# Other right forms of the closed expressions.
SOFTMAX_STEPS = """
p = F.softmax(logits, 1)
dp = -F.one_hot(Yb, vocab_size) / (n * p)
dlogits = p * (dp - (dp * p).sum(1, keepdim=True))
"""
ONE_LINE = (
    "dhprebn = bngain * bnvar_inv / n * "
    "(n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))"
)


def read(slug: str, old: str, new: str) -> str:
    """Return all that a student reads of the steps with a mistake, after a change of a right answer."""
    forms = (find(slug).solution, SOFTMAX_STEPS if slug == ENTROPY else ONE_LINE)
    (right,) = [form for form in forms if form.count(old) == 1]
    rows = [row for row in play(CANONICAL[slug], right.replace(old, new)) if not row.passed]
    return " ".join(text for row in rows if row.origin is not Origin.INHERITED for text in texts(row))


def texts(row: Comparison) -> list[str]:
    return [*row.notes, *(hint for diagnosis in row.diagnosis for hint in diagnosis.hints)]


TRUE = [
    # the right thing is named
    (
        FULL,
        "dbndiff + 1 / n * dbnmeani",
        "dbndiff + 1 / n * dbnmeani + bnmeani",
        "is right, but bnmeani is added to it.",
    ),
    (
        FULL,
        "dbndiff + 1 / n * dbnmeani",
        "dbndiff + 1 / n * dbnmeani - hprebn",
        "is right, but hprebn times -1 is added",
    ),
    (FULL, "dlogits = dnorm_logits +", "dlogits = logit_maxes + dnorm_logits +", "but logit_maxes is added to it."),
    (NORM, "dhpreact * bnraw).sum", "dhpreact / bnraw).sum", "The variance part is off by a factor. It is the same"),
    (NORM, "n * dhpreact -", "n * bndiff -", "In the direct part, bndiff stands where dhpreact belongs."),
    (NORM, "bnraw * (dbnraw", "dbnraw * (dbnraw", "bngain * dhpreact stands in front of its sum where bnraw belongs"),
    (NORM, "bnraw * (dbnraw", "bnraw * bnvar_inv * (dbnraw", "The variance part is bnvar_inv times what it should be"),
    (
        NORM,
        "dbnraw.sum(0, keepdim=True)\n",
        "bnraw.sum(0, keepdim=True)\n",
        "Next to nothing stands in place",
    ),
    (
        NORM,
        "(n * dbnraw - through_mean - through_variance)",
        "n * dbnraw - through_mean - through_variance",
        "In the mean part and the variance part, the factor bnvar_inv / n is left out.",
    ),
    (
        ENTROPY,
        "p * (dp - (dp * p).sum(1, keepdim=True))",
        "p * dp - (dp * p).sum(1, keepdim=True)",
        "The softmax part",
    ),
    (ENTROPY, "(n * p)", "(n + p)", "Look at all lines from logits on"),
    (
        ENTROPY,
        "dlogits = F.softmax(logits, 1)",
        "dlogits = F.softmax(F.softmax(logits, 1), 1)",
        "is taken twice.",
    ),
    (ENTROPY, "[range(n), Yb] -= 1", "*= F.one_hot(Yb, vocab_size)", "nothing but the right class is left of it"),
    (ENTROPY, "dlogits /= n", "dlogits *= 0", "Look at the line norm_logits = logits - logit_maxes."),
    (FULL, "dprobs = dlogprobs /", "dlogprobs = dlogprobs + 3e-8\ndprobs = dlogprobs /", "the number 3e-08 is added"),
    (FULL, "-1.0 / n", "-2.0 / n", "perhaps what arrives at logprobs is counted twice"),
    (FULL, "dembcat =", "dhprebn = dhprebn + 1e-3\ndembcat =", "Look at the line of your code that makes dhprebn."),
    (ENTROPY, "[range(n), Yb] -= 1", "[range(n), Yb] = 1 - dlogits[range(n), Yb]", "1 - p stands in place of p - 1."),
    (FULL, "(1.0 - h**2) * dh", "(1.0 - dh**2) * dh", "dh stands in the derivative of the line of h in place of h."),
    (NORM, "dbnraw = bngain * dhpreact", "dbnraw = bngain * dhpreact * bnraw", "bnraw is multiplied into dhpreact."),
    (FULL, "embcat.T @ dhprebn", "dembcat.T @ hprebn", "dembcat.T @ hprebn: value and gradient have changed places."),
    (FULL, "(1.0 - h**2) * dh", "(1.0 - bnraw**2) * dh", "(1 - bnraw**2) * dh: 1 - bnraw**2 is not the factor of that"),
    (FULL, "(1.0 - h**2) * dh", "dh - h**2", "h**2 is taken from dh where a product belongs."),
    (FULL, "1 / (n - 1) * torch.ones", "1 / n - 1 * torch.ones", "The number 0.03125 is added to your gradient."),
    (FULL, "dC[Xb[k, j]] +=", "dC[Yb[k]] +=", "The contributions are added up where Yb points, not where emb took its"),
    (FULL, "+= demb[k, j]", "+= demb[k, j - 1]", "along axis 1, demb is shifted by one."),
    (FULL, "dlogprobs[range(n)", "dlogprobs[range(1)", "16 elements of your gradient should be zero and are not; 31"),
    # nothing is claimed, and a true fact is said
    (FULL, "= dcounts * counts", "= (dcounts * counts).abs()", "its kind was not recognised"),
    (FULL, "ones_like(bndiff2) * dbnvar", "ones_like(bndiff2) + dbngain", "its kind was not recognised"),
    (
        NORM,
        "bngain * dhpreact\n",
        "bngain * bndiff\n",
        "Your gradient is next to nothing: its largest element is 0.009",
    ),
    (FULL, "1.0 - h**2", "1.0 - h**-2", "0 of 2048 elements are right."),
    (NORM, "- through_variance)", "- through_variance)[:1]", "Its shape is [1, 64], and [32, 64] is wanted."),
    (
        ENTROPY,
        "logits[range(n)",
        "logits[range(vocab_size)",
        "the code stopped, perhaps before all of this gradient was",
    ),
]


@pytest.mark.parametrize(("slug", "old", "new", "says"), TRUE)
def test_what_is_said_is_true(slug: str, old: str, new: str, says: str) -> None:
    assert says in read(slug, old, new)


FALSE = [
    (NORM, "bnraw * (dbnraw", "dbnraw * (dbnraw", "bndiff2"),  # a part is there with another tensor, not missing
    (NORM, "n * dhpreact -", "n * bndiff -", "missing"),
    (NORM, "- through_variance)", "- through_variance)[:1]", "missing"),
    (NORM, "bngain * dhpreact\n", "bngain * bndiff\n", "sums to"),
    (NORM, "- through_variance)", "- through_variance).clamp(min=0)", "hpreact = "),  # any line may be it
    (ENTROPY, "dlogits = F.softmax(logits, 1)", "dlogits = F.softmax(F.softmax(logits, 1), 1)", "depends on probs"),
    (ENTROPY, "logits[range(n)", "logits[range(vocab_size)", "missing"),
    (ENTROPY, "dlogits /= n", "dlogits *= 0", "gradient at logit_maxes"),
    (FULL, "= dcounts * counts", "= (dcounts * counts).abs()", "depends on"),
    (FULL, "+ dcounts_sum  #", "\ncounts = counts + dcounts_sum  #", "depends on"),
    # a number a column is added, and the mean part has one number a column, too
    (NORM, "n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))", "bnraw * (dhpreact * bnraw).sum(0) - n)", "Its factor"),
    (FULL, "ones_like(bndiff2) * dbnvar", "ones_like(bndiff2) + dbngain", "all along each column"),
    (FULL, "dprobs = dlogprobs /", "dlogprobs = dlogprobs + 3e-8\ndprobs = dlogprobs /", "same factor"),
    (FULL, "dlogprobs[range(n)", "dlogprobs[range(1)", "-0 times"),
    (FULL, "dembcat =", "dhprebn = dhprebn + 1e-3\ndembcat =", "factor to multiply with"),
]


@pytest.mark.parametrize(("slug", "old", "new", "unsaid"), FALSE)
def test_what_is_false_is_not_said(slug: str, old: str, new: str, unsaid: str) -> None:
    said = read(slug, old, new)
    assert said and unsaid not in said
