"""Own or inherited: what is right given the student's own gradients, and what proves nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.registry import exercises
from grader.compare import Origin, Verdict
from grader.origin import back_by_element
from grader.reference import reference
from tests.grader.rows import INSTANCE, RIGHT, judged, own, written
from tests.mistakes.catalogue import Mistake, load, source
from tests.mistakes.play import play

MISTAKES = load()
CANONICAL = {slug: Instance.canonical(exercise) for slug, exercise in exercises().items()}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_found_in_its_step_only(mistake: Mistake) -> None:
    rows = {row.name: row for row in play(CANONICAL[mistake.exercise], source(mistake.exercise, [mistake]))}
    assert own(rows) == {mistake.first}
    for row in rows.values():
        if row.passed:
            assert row.origin is None and row.diagnosis == ()


def test_a_right_answer_has_no_origin() -> None:
    assert all(row.origin is None for row in judged({}).values())


def test_one_mistake_at_the_top_is_inherited_by_all_below() -> None:
    rows = written(("-1.0 / n", "-1.0"))
    assert rows["logprobs"].origin is Origin.OWN
    assert {row.origin for name, row in rows.items() if name != "logprobs" and not row.passed} == {Origin.INHERITED}


def test_three_mistakes_are_three() -> None:
    rows = written(("counts_sum_inv + dcounts_sum ", "counts_sum_inv "), ("h**2", "h"), ("** -1.5", "** -0.5"))
    assert own(rows) == {"counts", "hpreact", "bnvar"}


def test_a_right_step_under_a_wrong_one_passes() -> None:
    rows = judged({"counts": RIGHT["counts"] * 3})
    assert own(rows) == {"counts"}
    assert all(row.passed and row.origin is None for name, row in rows.items() if name != "counts")


def test_an_unsummed_gradient_goes_on_by_element() -> None:
    """dbnvar_inv [32, 64] in place of [1, 64]: the lines below broadcast it, and are right."""
    rows = written(("dbnvar_inv = (dbnraw * bndiff).sum(0, keepdim=True)", "dbnvar_inv = dbnraw * bndiff"))
    assert own(rows) == {"bnvar_inv"}
    assert rows["bnvar"].origin is rows["bndiff2"].origin is rows["bndiff"].origin is Origin.INHERITED


def test_a_gradient_turned_over_is_gone_on_with() -> None:
    rows = judged({"embcat": RIGHT["embcat"].T * 2, "emb": (RIGHT["embcat"] * 2).view(32, 3, 10), "C": RIGHT["C"] * 2})
    assert own(rows) == {"embcat"}


def test_a_missing_gradient_is_carried_through() -> None:
    """Dcounts follows from the wrong dprobs alone, in one expression."""
    wrong: dict[str, Tensor | None] = {"probs": RIGHT["probs"] * 2, "counts": RIGHT["counts"] * 2}
    rows = judged(wrong | {"counts_sum_inv": None, "counts_sum": None})
    assert rows["counts"].origin is Origin.INHERITED
    assert any("dcounts_sum is missing" in note for note in rows["counts"].notes)
    assert rows["counts_sum"].verdict is Verdict.MISSING and rows["counts_sum"].origin is None


def test_a_mistake_comes_through_a_missing_gradient() -> None:
    """The wrong dprobs reaches dcounts_sum only through dcounts_sum_inv, which is missing."""
    wrong = {"probs": RIGHT["probs"] * 2, "counts_sum_inv": None, "counts_sum": RIGHT["counts_sum"] * 2}

    rows = judged(wrong)

    assert own(rows) == {"probs"}
    assert rows["counts_sum"].origin is Origin.INHERITED


def test_nothing_is_decided_below_zeros() -> None:
    rows = written(("dlogprobs[range(n), Yb] = -1.0 / n", "pass"))
    assert own(rows) == {"logprobs"}
    below = [row for name, row in rows.items() if name != "logprobs" and not row.passed]
    assert len(below) > 20
    for row in below:
        assert row.origin is Origin.UNKNOWN and row.diagnosis == ()
        assert any("while dlogprobs is zero everywhere" in note for note in row.notes)


def test_a_wrong_gradient_below_zeros_is_own() -> None:
    rows = judged({"probs": torch.zeros(32, 27), "counts_sum_inv": RIGHT["counts_sum_inv"] * 2})
    assert own(rows) == {"probs", "counts_sum_inv"}


def test_not_finite_proves_nothing_either() -> None:
    rows = written(("dlogprobs / probs", "dlogprobs / 0"))
    assert own(rows) == {"probs"}
    assert rows["counts"].origin is Origin.UNKNOWN and rows["counts"].verdict is Verdict.NOT_FINITE
    assert rows["h"].origin is Origin.UNKNOWN


def test_a_zero_term_is_a_term() -> None:
    """Only dcounts_sum is zero; dcounts is what it and dprobs give, and that is not nothing."""
    rows = written(("-(counts_sum**-2) * dcounts_sum_inv", "torch.zeros_like(counts_sum)"))
    assert own(rows) == {"counts_sum"}
    assert rows["counts"].origin is Origin.INHERITED


def test_a_true_zero_is_no_reason_to_doubt() -> None:
    rows = judged({"logit_maxes": torch.zeros(32, 1), "h": RIGHT["h"] * 2})
    assert own(rows) == {"h"} and rows["logit_maxes"].passed


def test_a_variable_spoiled_later_spoils_no_step() -> None:
    """Dbndiff changes after dbnmeani was computed from it, and something above is wrong too."""
    rows = written(
        ("dcounts = dprobs * counts_sum_inv + dcounts_sum ", "dcounts = dprobs * counts_sum_inv "),
        ("dhprebn = dbndiff + 1 / n * dbnmeani", "dhprebn = dbndiff\ndhprebn += 1 / n * dbnmeani"),
    )
    assert own(rows) == {"counts", "bndiff"}


@pytest.mark.parametrize("change", [5e-5, -5e-5])
def test_a_mistake_of_5e_5_is_own(change: float) -> None:
    """Five times what ``allclose`` allows, and more than another order of the same sums gives."""
    rows = judged({"h": RIGHT["h"] * (1 + change)})

    assert own(rows) == {"h"}


def test_a_mistake_of_5e_5_below_another_is_own_too() -> None:
    wrong = RIGHT["h"] * 2
    follows = wrong * (RIGHT["hpreact"] / RIGHT["h"])

    assert own(judged({"h": wrong, "hpreact": follows})) == {"h"}
    assert own(judged({"h": wrong, "hpreact": follows * (1 + 5e-5)})) == {"h", "hpreact"}


def test_going_back_by_element_is_bounded() -> None:
    step = next(step for step in reference(INSTANCE).cut.steps if step.name == "bnvar_inv")

    assert back_by_element(step, "bnvar", torch.ones(1024, 64)) is not None
    assert back_by_element(step, "bnvar", torch.ones(1025, 64)) is None
