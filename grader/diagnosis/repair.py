"""The repair test: what is said of a mistake is true of the student's own numbers.

A finding names a mistake and carries the repair of it: the student's answer with that mistake mended and nothing else.
If the repaired answer is right but for rounding, the named mistakes explain all of the answer, and the rest is right.
If it is not, the finding is dropped, whatever the hypothesis thought.

A hypothesis that subtracts what it claims to be there makes its repair with ``replaced``. It must subtract numbers that
the claim gives, never what is left of the answer: ``answer - observed + share`` is right whatever the answer is.
"""

from __future__ import annotations

from torch import Tensor

from grader.diagnosis.case import Case
from grader.diagnosis.codes import Code, Finding
from grader.rounding.closeness import NOISE, RELATIVE, broadcast_shape, broadcasts_to

# A repair leaves the rounding of the answer. Where that is a larger share of the right gradient than this, the wrong
# part is so large that nothing can be said about the rest.
ROUNDING_SHARE_MAX = 5e-3

# What these forms say is a fact about the answer alone, checked where it is found. None claims that the rest is right.
VERIFIED_OTHERWISE = frozenset(
    {
        (Code.UNKNOWN, "not_finite"),
        (Code.UNKNOWN, "not_finite_here"),
        (Code.UNKNOWN, "above_not_finite"),
        (Code.UNKNOWN, "next_to_nothing"),
        (Code.UNKNOWN, "one_use"),
        (Code.UNKNOWN, "several_uses"),
        (Code.UNKNOWN, "later"),
        (Code.MISSING_TERM, "nothing"),
        (Code.MISSING_TERM, "nothing_of_the_loss"),
        (Code.MISSING_TERM, "part_but_for_little"),
        (Code.MISSING_TERM, "next_to_nothing"),
        (Code.WRONG_AXIS, "cancels"),
        (Code.NOT_REDUCED, "stretched_and_cancelled"),
        (Code.WRONG_AXIS, "sum_and_cancelled"),
        (Code.TRANSPOSED, "shuffled"),
        (Code.WRONG_AXIS, "shuffled"),
        (Code.SWAPPED, "gradient"),
        (Code.ALIASED, "same_numbers_below"),
        (Code.OVERWRITTEN, "repeated_index"),
        (Code.MISSING_LOCAL, "product_of_paths"),
        (Code.MISSING_LOCAL, "other_function"),
        (Code.MISSING_LOCAL, "other_function_of_a_term"),
        (Code.MISSING_LOCAL, "other_function_of_all"),
        (Code.MISSING_LOCAL, "off_like_a_part"),
        (Code.MISSING_LOCAL, "other_places"),
        (Code.MISSING_LOCAL, "one_number"),
    }
)


def is_verified(case: Case, finding: Finding) -> bool:
    """Whether a finding may become a sentence: its repair makes the answer right, or it needs none."""
    if finding.repair is None:
        return (finding.code, finding.form) in VERIFIED_OTHERWISE
    repaired = finding.repair if isinstance(finding.repair, Tensor) else finding.repair()
    return repaired is not None and is_right(case, repaired)


def is_right(case: Case, repaired: Tensor) -> bool:
    """Whether a repaired answer is the right gradient but for rounding.

    It may be stretched, as an answer is that was not summed yet.
    """
    right = case.right
    if repaired.shape != right.shape:
        if not broadcasts_to(right.shape, repaired.shape):
            return False
        right = right.expand(repaired.shape)
    difference, size = (repaired - right).abs(), right.abs()
    largest = float(size.max())
    if bool((difference <= RELATIVE * size + NOISE * largest).all()):
        return True
    noise = NOISE * case.size
    if not noise <= ROUNDING_SHARE_MAX * largest:
        return False
    if case.answer.shape == right.shape:
        size = size.maximum(case.answer.abs())
    return bool((difference <= RELATIVE * size + noise).all())


def replaced(case: Case, stands: Tensor, belongs: Tensor) -> Tensor | None:
    """Return the answer with ``belongs`` in place of ``stands``; None if their shapes do not allow it.

    If all of the gradient is replaced, the answer must be ``stands`` and nothing else. What is left over is compared
    with ``stands``: the answer may be larger than the right gradient by any factor, and there is no rest to be hidden.
    """
    try:
        left = case.answer - stands
    except RuntimeError:
        return None
    if case.is_whole(belongs) or broadcast_shape(left.shape, belongs.shape) is None:
        if left.shape == case.answer.shape == stands.shape:
            noise = RELATIVE * stands.abs() + NOISE * float(stands.abs().max())
            if bool((left.abs() <= noise).all()):
                return belongs
        return None
    return left + belongs
