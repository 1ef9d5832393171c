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
SOFTMAX = """
p = F.softmax(logits, 1)
y = F.one_hot(Yb, vocab_size).float()
dlogits = (p - y) / n
"""
SOFTMAX_LOOP = """
p = F.softmax(logits, 1)
dlogits = torch.zeros_like(logits)
for i in range(n):
    for j in range(vocab_size):
        dlogits[i, j] = (p[i, j] - 1) / n if j == Yb[i] else p[i, j] / n
"""
SOFTMAX_LINES = """
e = torch.exp(logits - logits.max(1, keepdim=True).values)
s = e.sum(1, keepdim=True)
q = e / s
dq = torch.zeros_like(q)
dq[range(n), Yb] = -1.0 / (n * q[range(n), Yb])
ds = -(dq * e / s**2).sum(1, keepdim=True)
de = dq / s + ds
dlogits = de * e
"""
NORM_LINES = """
dx = bngain * dhpreact  # of bnraw
dvarinv = (dx * bndiff).sum(0, keepdim=True)
dvar = -0.5 * (bnvar + 1e-5)**-1.5 * dvarinv
ddiff2 = dvar / (n - 1)
ddiff = dx * bnvar_inv + 2 * bndiff * ddiff2
dmean = -ddiff.sum(0, keepdim=True)
dhprebn = ddiff + dmean / n
"""
NORM_HAT = """
dx_hat = dhpreact * bngain
dhprebn = bnvar_inv * (dx_hat - dx_hat.mean(0) - bnraw * (dx_hat * bnraw).sum(0) / (n - 1))
"""
SOFTMAX_STEPS = """
p = F.softmax(logits, 1)
dp = -F.one_hot(Yb, vocab_size) / (n * p)
dlogits = p * (dp - (dp * p).sum(1, keepdim=True))
"""
ONE_LINE = (
    "dhprebn = bngain * bnvar_inv / n * "
    "(n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))"
)


FORMS = {
    FULL: (),
    ENTROPY: (SOFTMAX_STEPS, SOFTMAX, SOFTMAX_LOOP, SOFTMAX_LINES),
    NORM: (ONE_LINE, NORM_LINES, NORM_HAT),
}


def read(slug: str, old: str, new: str) -> str:
    """Return all that a student reads of the steps with a mistake, after a change of a right answer."""
    (right,) = [form for form in (find(slug).solution, *FORMS[slug]) if form.count(old) == 1]
    rows = [row for row in play(CANONICAL[slug], right.replace(old, new)) if not row.passed]
    return " ".join(text for row in rows if row.origin is not Origin.INHERITED for text in texts(row))


def texts(row: Comparison) -> list[str]:
    return [*row.notes, *(hint for diagnosis in row.diagnosis for hint in diagnosis.hints)]


TRUE = [
    (
        ENTROPY,
        "y = F.one_hot(Yb, vocab_size).float()\ndlogits = (p - y) / n",
        "y = F.one_hot(logits.argmax(1), vocab_size).float()\ndlogits = (p + y) / n",
        "The sign of the part at the right class is turned around. Besides, in the part at the right class, it stands",
    ),
    (
        FULL,
        "dlogprobs / probs",
        "-1 / n * 1 / probs",
        "that comes through logprobs is zero at 832 elements, and yours is",
    ),
    (
        FULL,
        "(dprobs * counts).sum(1,",
        "dprobs * counts.sum(1,",
        "has shape [32, 27], and counts_sum_inv has shape [32, 1]",
    ),
    (
        FULL,
        "dlogprobs[range(n), Yb] =",
        "for i in range(1, n):\n    dlogprobs[i, Yb[i]] =",
        "Your gradient is zero at 1 element, and should not be; the others are right.",
    ),
    (FULL, "dC[Xb[k, j]] += demb[k, j]", "dC[Xb[k, 0]] += demb[k, j]", "where slice 0 of Xb points, along axis 1."),
    (FULL, "dC[Xb[k, j]] += demb[k, j]", "dC[Xb[k, j]] += demb[k, 0]", "Slice 0 of demb, along axis 1, is added up in"),
    (FULL, "dC[Xb[k, j]] += demb[k, j]", "dC[Xb.T.reshape(32, 3)[k, j]] += demb[k, j]", "with its axes turned over."),
    (
        ENTROPY,
        "logits[range(n), Yb] -= 1",
        "logits[range(n), Yb] -= 1; dlogits[3:5] *= 2",
        "54 of 864 elements are twice what they should be; the others are right.",
    ),
    (FULL, "(1.0 - h**2) * dh", "dh / (1.0 - h**2)", "You multiply dh with something that depends on hpreact"),
    # what is claimed is the numbers alone, and one slip may have made them
    (
        NORM,
        "bngain * dhpreact\n",
        "(bngain * dhpreact).sum(0, keepdim=True)\n",
        "Besides, in the direct part, dhpreact is summed over its column.",
    ),
    (NORM, "(n * dbnraw -", "(n * dbnraw.sum(0) -", "In the direct part, dhpreact is summed over its column."),
    (
        NORM,
        "-ddiff.sum(0, keepdim=True)",
        "-ddiff",
        "The mean part is without a sum in your formula: it holds the other",
    ),
    (NORM, "(dx * bndiff).sum(0, keepdim=True)", "dx.sum(0, keepdim=True) * bndiff", "is missing, or it cancels"),
    (
        ENTROPY,
        "dq / s + ds",
        "dq * ds",
        "Of your formula nothing shows but the part at the right class, 1/n (1/32) times.",
    ),
    (ENTROPY, "-(dq * e / s**2)", "-(e / s**2)", "The softmax part is the derivative of the line of probs alone"),
    (NORM, "2 * bndiff * ddiff2", "bndiff**2 * ddiff2", "Hardly any of the 2048 elements is right."),
    (ENTROPY, "(p - y) / n", "(p - y) * p / n", "Look at all lines from logits on; the factor belongs to every path"),
    (
        ENTROPY,
        "one_hot(Yb, vocab_size).float()",
        "one_hot((Yb + 1) % vocab_size, vocab_size).float()",
        "32 numbers of the part at the right class are right, but stand at wrong places; the rest is right.",
    ),
    (ENTROPY, "(p - y) / n", "(-y / p) / n", "0 of 864 elements are right."),
    (
        ENTROPY,
        "logits[range(n), Yb] -= 1",
        "logits[range(n), Yb] = 1",
        "32 elements of your gradient hold the same number",
    ),
    (ENTROPY, "(p[i, j] - 1) / n if", "(p[i, j] - 1) if", "32 of 864 elements are n (32) times what they should be;"),
    (
        NORM,
        "2 * bndiff * ddiff2",
        "2 * ddiff2",
        "Nothing of the variance part shows in your formula: it is missing, or",
    ),
    (NORM, "2 * bndiff * ddiff2", "2 * bndiff + ddiff2", "bndiff2 alone, without the gradient at bndiff2."),
    (FULL, "bnvar + 1e-5) ** -1.5 * dbn", "bnvar) ** -1.5 + 1e-5 * dbn", "dbnvar_inv does not show in it."),
    (NORM, "ddiff + dmean / n", "ddiff * dmean / n", "for two gradients multiplied"),
    (
        FULL,
        "dbngain = (dhpreact * bnraw).sum(0, keepdim=True)",
        "dbngain = (dhpreact * bnraw).sum(0, keepdim=True) * bngain",
        "Your gradient is bngain times what it should be.",
    ),
    (ENTROPY, "logits[range(n), Yb] -= 1", "logits[range(n), Yb] -= 2", "is there twice in your formula, or times 2."),
    (FULL, "dbnraw * bnvar_inv + 2 *", "2 * dbnraw * bnvar_inv + 2 *", "is there twice, or has a factor of 2."),
    (ENTROPY, "(p - y) / n", "(p - y) / n + y", "The sign of the part at the right class is turned around."),
    (FULL, "2 * bndiff * dbndiff2", "2 * bnraw * dbndiff2", "bnraw stands in the derivative of the line of bndiff2 in"),
    (FULL, "inv + dcounts_sum", "inv + counts_sum_inv + dcounts_sum", "is right, but counts_sum_inv is added to it."),
    (NORM, "ddiff + dmean / n", "ddiff + dmean / n + bnraw", "Your gradient is right, but bnraw is added to it."),
    (NORM, "2 * bndiff * ddiff2", "2 * bndiff * ddiff2 + bnraw", "Your gradient is right, but bnraw is added to it."),
    (ENTROPY, "(p - y) / n", "(p - y) / n + p", "Your gradient is right, but probs is added to it."),
    (FULL, "(1.0 - h**2) * dh", "-(h**2) * dh", "dh is multiplied with a factor that is 1 too small."),
    (
        FULL,
        "embcat.T @ dhprebn",
        "embcat.T @ (dhprebn + b1)",
        "b1 is added to dhprebn before it goes into that line; the rest is",
    ),
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
    (FULL, "= dcounts * counts", "= (dcounts * counts).abs()", "The sign of 32 of 864 elements is turned around;"),
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
    # one part turned, and all of it: that part is right
    (
        ENTROPY,
        "y = F.one_hot(Yb, vocab_size).float()\ndlogits = (p - y) / n",
        "y = F.one_hot(logits.argmax(1), vocab_size).float()\ndlogits = (p + y) / n",
        "oftmax part",
    ),
    (FULL, "dlogprobs / probs", "-1 / n * 1 / probs", "summed"),
    # dbnmeani is one number here, and any number that is added to it is a multiple of it
    (
        FULL,
        "-dbndiff.sum(0, keepdim=True)\ndhprebn = dbndiff + 1 / n * dbnmeani",
        "-dbndiff.sum(1, keepdim=True)\ndhprebn = dbndiff + 2 / n * dbnmeani[0]",
        "is off by a factor of",
    ),
    (FULL, "inv + dcounts_sum", "inv - dcounts_sum", "counts_sum_inv times"),  # what is added is next to a sign
    (FULL, "dbndiff + 1 / n * dbnmeani", "dbndiff - 1 / n * dbnmeani", "went into it"),
    (FULL, "(dbnraw * bndiff).sum", "(dhpreact * bndiff).sum", "bngain**-1"),
    (NORM, "bngain * dhpreact\n", "(bngain * dhpreact).sum(0, keepdim=True)\n", "factor of n-1"),
    (NORM, "(n * dbnraw -", "(n * dbnraw.sum(0) -", "things are off"),
    (NORM, "-ddiff.sum(0, keepdim=True)", "-ddiff", "things are off"),
    (NORM, "(dx * bndiff).sum(0, keepdim=True)", "dx.sum(0, keepdim=True) * bndiff", "things are off."),
    (ENTROPY, "dq / s + ds", "dq * ds", "things are off"),
    (ENTROPY, "-(dq * e / s**2)", "-(e / s**2)", "the gradient at probs does not"),
    (NORM, "2 * bndiff * ddiff2", "bndiff**2 * ddiff2", "1 of 2048"),
    (ENTROPY, "(p - y) / n", "(p - y) * p / n", "probs.log()"),
    (ENTROPY, "one_hot(Yb, vocab_size).float()", "one_hot((Yb + 1) % vocab_size, vocab_size).float()", "probs ="),
    (ENTROPY, "(p - y) / n", "(-y / p) / n", "depends on probs"),
    (ENTROPY, "logits[range(n), Yb] -= 1", "logits[range(n), Yb] = 1", "depends on probs"),
    (ENTROPY, "(p[i, j] - 1) / n if", "(p[i, j] - 1) if", "depends on probs"),
    (NORM, "2 * bndiff * ddiff2", "2 * ddiff2", "is missing from"),
    (NORM, "2 * bndiff * ddiff2", "2 * bndiff + ddiff2", "does not come into it"),
    (NORM, "dx_hat = dhpreact", "dx_hat = hpreact", "sums to"),  # in exact arithmetic it does
    (ENTROPY, "(p - y) / n", "(p - y) / n + y", "p + 1 stands"),
    (NORM, "ddiff + dmean / n", "ddiff + dmean / n + bnraw", "off by a factor"),
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
