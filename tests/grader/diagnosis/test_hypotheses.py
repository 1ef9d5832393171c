"""What ended as unknown for students of public notebooks has a name; each sentence is read here once."""

from __future__ import annotations

import pytest

from exercises.instance import Instance, Kind
from exercises.registry import exercises, find
from grader.compare import Diagnosis, Origin
from tests.mistakes.play import play

FULL, ENTROPY, NORM = "makemore/full-backward", "makemore/cross-entropy", "makemore/batch-norm"
INSTANCES = {
    slug: (Instance.canonical(exercise), Instance.draw(exercise, 11, Kind.HIDDEN))
    for slug, exercise in exercises().items()
}


def diagnosed(slug: str, old: str, new: str, drawn: bool = False) -> dict[str, tuple[Diagnosis, ...]]:
    """Return the diagnoses of a solution with some of its text replaced, by the step that the mistake is in."""
    solution = find(slug).solution
    assert solution.count(old) == 1
    rows = play(INSTANCES[slug][drawn], solution.replace(old, new))
    return {row.name: row.diagnosis for row in rows if row.origin is Origin.OWN}


@pytest.mark.parametrize("drawn", [False, True], ids=["canonical", "drawn"])
@pytest.mark.parametrize(
    ("name", "old", "new", "code", "says"),
    [
        (
            "probs",
            "dprobs = dlogprobs / probs",
            "dprobs = dlogprobs + 1 / probs",
            "missing_local",
            "dlogprobs and its factor are added where a product belongs.",
        ),
        (
            "hprebn",
            "dbndiff + 1 / n * dbnmeani",
            "dbndiff + 1 / n * dbnmeani - dbndiff2",
            "double_counted",
            "Your gradient is right, but dbndiff2 is taken from it: a path too many.",
        ),
        (
            "hpreact",
            "(1.0 - h**2) * dh",
            "dh - (1.0 - h**2)",
            "missing_local",
            "Its factor is taken from dh where a product belongs.",
        ),
        (
            "hpreact",
            "(1.0 - h**2) * dh",
            "(1.0 - h**2) + dh",
            "missing_local",
            "dh and its factor are added where a product belongs.",
        ),
        (
            "h",
            "dlogits @ W2.T",
            "dlogits @ W2.reshape(vocab_size, n_hidden)",
            "transposed",
            "W2 goes into your gradient reshaped where it must be transposed.",
        ),
        (
            "W2",
            "h.T @ dlogits",
            "h.reshape(n_hidden, n) @ dlogits",
            "transposed",
            "h goes into your gradient reshaped where it must be transposed.",
        ),
        ("W2", "h.T @ dlogits", "W2", "missing_upstream", "Your gradient is W2 itself, a tensor of the forward pass."),
        ("h", "dlogits @ W2.T", "h.clone()", "missing_upstream", "Your gradient is h itself, a tensor of the"),
        (
            "W2",
            "h.T @ dlogits",
            "dh.T @ logits",
            "swapped",
            "Your numbers are those of dh.T @ logits: value and gradient have changed places.",
        ),
        (
            "W2",
            "h.T @ dlogits",
            "dh.T @ dlogits",
            "swapped",
            "Your numbers are those of dh.T @ dlogits: two gradients are multiplied.",
        ),
        (
            "W2",
            "h.T @ dlogits",
            "bndiff.T @ dlogits",
            "missing_local",
            "Your numbers are those of bndiff.T @ dlogits: bndiff is not the factor of that line.",
        ),
        (
            "bndiff",
            "dbnraw * bnvar_inv + 2",
            "dbnraw * bnvar + 2",
            "missing_local",
            "The term through bnraw has the numbers of bnvar * dbnraw: bnvar is not the factor of that line.",
        ),
        (
            "bnvar_inv",
            "(dbnraw * bndiff)",
            "(hprebn * hpreact)",
            "missing_upstream",
            "Your numbers are those of hpreact * hprebn, summed: made of tensors of the forward pass alone, without",
        ),
        (
            "bngain",
            "(dhpreact * bnraw)",
            "(hpreact * dh)",
            "swapped",
            "Your numbers are those of hpreact * dh, summed, and dhpreact is not in that product.",
        ),
        (
            "hpreact",
            "(1.0 - h**2) * dh",
            "(1.0 - dh**2) * h",
            "swapped",
            "h and dh have changed places in your line.",
        ),
        (
            "W2",
            "dh = dlogits @ W2.T",
            "h = dlogits @ W2.T",
            "swapped",
            "The gradient of h stands where its value belongs.",
        ),
        (
            "bngain",
            "(dhpreact * bnraw).sum(0, keepdim=True)",
            "dhpreact * bnraw / n",
            "not_reduced",
            "bngain is [1, 64] and is used in 32 rows: 32 contributions a column. Your gradient holds them one by one, "
            "with shape [32, 64], and times 1/n (1/32).",
        ),
        (
            "W2",
            "h.T @ dlogits",
            "dlogits.T @ h / n",
            "transposed",
            "Your gradient is turned over, with shape [27, 64], and it is 1/n (1/32) times what it should be.",
        ),
        (
            "bngain",
            "(dhpreact * bnraw).sum(0, keepdim=True)",
            "dhpreact.sum(0, keepdim=True) * bnraw",
            "wrong_axis",
            "dhpreact and its factor are multiplied after a sum.",
        ),
        (
            "counts_sum_inv",
            "(dprobs * counts)",
            "(dprobs + counts)",
            "missing_local",
            "dprobs and its factor are added where a product belongs.",
        ),
        (
            "counts_sum_inv",
            "(dprobs * counts)",
            "(dprobs - counts)",
            "missing_local",
            "Its factor is taken from dprobs where a product belongs.",
        ),
        (
            "bnbias",
            "dbnbias = dhpreact.sum(0, keepdim=True)",
            "dbnbias = n * dhpreact[3:4]",
            "not_reduced",
            "bnbias is [1, 64] and is used in 32 rows: 32 contributions a column. Your gradient is the one of slice 3, "
            "times 32.",
        ),
        (
            "bnvar",
            "-0.5 * (bnvar + 1e-5)",
            "-1.5 * (bnvar + 1e-5)",
            "scale",
            "Every number is off by the same factor: your gradient is 3 times what it should be.",
        ),
        (
            "logit_maxes",
            "-dnorm_logits.sum(1, keepdim=True)",
            "-dnorm_logits.max(1, keepdim=True).values",
            "missing_term",
            "logit_maxes is [32, 1] and is used in 27 columns: 27 contributions a row. Your gradient keeps one of each",
        ),
        (
            "probs",
            "dprobs = dlogprobs / probs",
            "dprobs = dlogprobs / probs * counts_sum_inv",
            "swapped",
            "This has gone a step too far: it is what dprobs gives at counts, through the line of probs.",
        ),
        (
            "hprebn",
            "dbndiff + 1 / n * dbnmeani",
            "dbndiff + 1 / n * dbnmeani + dbndiff2",
            "double_counted",
            "Your gradient is right, but dbndiff2 is added to it: a path too many.",
        ),
        (
            "hpreact",
            "(1.0 - h**2) * dh",
            "1.0 - h**2 * dh",
            "missing_local",
            "A parenthesis is missing: dh multiplies only a part of the derivative, and 1 stands alone.",
        ),
        (
            "counts",
            "dprobs * counts_sum_inv + dcounts_sum ",
            "dprobs * (counts_sum_inv + dcounts_sum) ",
            "missing_local",
            "The term through counts_sum is multiplied with a factor of the one through probs; the rest is right.",
        ),
        (
            "bndiff",
            "dbnraw * bnvar_inv + 2 * bndiff * dbndiff2",
            "bnvar_inv * (dbnraw + 2 * bndiff * dbndiff2)",
            "missing_local",
            "The term through bndiff2 is multiplied with a factor of the one through bnraw; the rest is right.",
        ),
    ],
)
def test_what_ended_as_unknown_has_a_name(name: str, old: str, new: str, code: str, says: str, drawn: bool) -> None:
    found = diagnosed(FULL, old, new, drawn)

    assert [each for each in found[name] if each.code == code and each.hints[0].startswith(says)]


@pytest.mark.parametrize("drawn", [False, True], ids=["canonical", "drawn"])
@pytest.mark.parametrize(
    ("new", "codes", "says"),
    [
        ("dlogits[range(n), Yb] += 1", ["term_sign"], "At the right class, p + 1 stands in place of p - 1."),
        (
            "pass",
            ["missing_term"],
            "Nothing of the part at the right class shows in your formula: it is missing, or it cancels.",
        ),
        ("dlogits[range(n), Yb] -= n", ["term_scale"], "The part at the right class is off by a factor in your formu"),
        ("dlogits[:, Yb] -= 1", ["missing_local"], "In the part at the right class, 1 is taken from every row in the"),
        (
            "dlogits[range(n), logits.argmax(1)] -= 1",
            ["missing_local"],
            "In the part at the right class, it stands at the largest logit of a row, not where Yb points.",
        ),
        (
            "dlogits = logits.exp(); dlogits[range(n), Yb] -= 1",
            ["missing_local"],
            "In the softmax part, the exponentials are not divided by their sum.",
        ),
        (
            "dlogits[range(n), Yb] += 1; dlogits *= n",
            ["term_sign", "scale"],
            "At least two things are off, perhaps by one slip. At the right class, p + 1 stands in place of p - 1. "
            "Besides, everything is off by a factor of n (32).",
        ),
    ],
)
def test_cross_entropy_is_told_by_the_parts_of_its_formula(new: str, codes: list[str], says: str, drawn: bool) -> None:
    found = diagnosed(ENTROPY, "dlogits[range(n), Yb] -= 1", new, drawn)["logits"]

    assert [each.code for each in found] == codes
    assert found[0].hints[0].startswith(says)
    assert not any("dcounts" in hint or "dprobs" in hint for each in found for hint in each.hints)


@pytest.mark.parametrize("drawn", [False, True], ids=["canonical", "drawn"])
@pytest.mark.parametrize(
    ("new", "codes", "says"),
    [
        (
            "bnvar_inv / n * (n * dbnraw + through_mean + through_variance)",
            ["term_sign"],
            "The mean part is added, and it belongs subtracted: the mean is taken away from every entry. The variance",
        ),
        (
            "bnvar_inv * dbnraw",
            ["missing_term"],
            "Nothing of the mean part and the variance part shows in your formula: they are missing, or they cancel.",
        ),
        (
            "bnvar_inv / n * (n * dbnraw - dbnraw - n / (n - 1) * bnraw**2 * dbnraw)",
            ["not_reduced"],
            "The mean part and the variance part are without a sum in your formula: it holds the diagonal only.",
        ),
        (
            "bnvar_inv / n * (n * dbnraw - dbnraw - through_variance)",
            ["not_reduced"],
            "The mean part is without a sum in your formula: it holds dhpreact, not its sum.",
        ),
        (
            "bnvar_inv / n * (dbnraw - through_mean - through_variance)",
            ["term_scale"],
            "The direct part is off by a factor in your formula: 1/n (1/32) times what should stand there.",
        ),
        (
            "bnvar_inv / n * (n * dbnraw - through_mean - (n - 1) / n * through_variance)",
            ["term_scale"],
            "The variance part is off by a factor in your formula: (n-1)/n (31/32) times what should stand there.",
        ),
        (
            "bnvar_inv / n * (n * dbnraw - through_mean - n / (n - 1) * bnraw * dbnraw.sum(0))",
            ["missing_local"],
            "In the variance part, bnraw is left out of its sum.",
        ),
        (
            "bnvar_inv / n * (n * dbnraw - through_mean - n / (n - 1) * bnraw * (bngain * hpreact * bnraw).sum(0))",
            ["missing_local"],
            "In the variance part, hpreact went into its sum where dhpreact belongs.",
        ),
        (
            "bnvar_inv / n * (n * dbnraw - through_variance - dbnraw.sum(1, keepdim=True))",
            ["wrong_axis"],
            "In the mean part, its sum runs along the rows.",
        ),
        ("dhpreact", ["missing_local"], "Your gradient is dhpreact, unchanged; the derivatives of the lines in betw"),
    ],
)
def test_batch_norm_is_told_by_the_parts_of_its_formula(new: str, codes: list[str], says: str, drawn: bool) -> None:
    old = "dhprebn = bnvar_inv / n * (n * dbnraw - through_mean - through_variance)"

    found = diagnosed(NORM, old, f"dhprebn = {new}", drawn)["hprebn"]

    assert [each.code for each in found] == codes
    assert found[0].hints[0].startswith(says)
    assert not any("dbndiff" in hint or "dbnvar" in hint for each in found for hint in each.hints)


def test_a_part_that_is_twice_there_and_turned_is_told_once_with_both() -> None:
    old = "dlogits[range(n), Yb] -= 1"

    found = diagnosed(ENTROPY, old, "dlogits[range(n), Yb] += 2")["logits"]

    assert [each.code for each in found] == ["term_scale", "term_sign"]
    assert all(each.hints[0].startswith("At least two things are off, perhaps by one slip.") for each in found)
