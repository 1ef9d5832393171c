"""Rounding passes, a real mistake is not rounding, and what cmp passes by accident is noted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import cast

import pytest
import torch
from torch import Tensor

from exercises.exercise import Checkpoint, Exercise
from exercises.instance import Instance, Kind
from exercises.language.expression import Call, Name, Reader
from exercises.language.forward import Forward, Line
from grader.answer import normalise
from grader.compare import Comparison, Origin, Verdict, compare
from grader.grade import Grade, compare_all
from grader.reference.gradients import Reference, reference
from grader.rounding import tolerance
from grader.rounding.tolerance import BEYOND, FROM_ABOVE, IS_ZERO, ROUNDING, SIGN, judge_rounding
from tests.grader.rows import FULL, INSTANCE, RIGHT, judged, own
from tests.mistakes.play import play
from tests.support.forwards import SameNumbers

LOGITS = "dlogits = dnorm_logits + F.one_hot(logits.argmax(1), num_classes=vocab_size) * dlogit_maxes"
DRAWN = [Instance.draw(FULL, seed, Kind.HIDDEN) for seed in (6, 15, 20, 900, 901, 902)]


def played(instance: Instance, old: str, new: str) -> dict[str, Comparison]:
    assert FULL.solution.count(old) == 1
    return {row.name: row for row in play(instance, FULL.solution.replace(old, new))}


def notes_of(rows: dict[str, Comparison]) -> dict[str, list[str]]:
    """The notes about rounding, of the rows that have one."""
    beginnings = (BEYOND, "right, given")
    notes = {name: [note for note in row.notes if note.startswith(beginnings)] for name, row in rows.items()}
    return {name: each for name, each in notes.items() if each}


def small_only(gradient: Tensor, error: float, below: float = 1e-4) -> Tensor:
    """A gradient whose small elements are off by an error."""
    assert bool((gradient.abs() < below).any())
    return gradient + error * (gradient.abs() < below)


@pytest.mark.parametrize("error", [1.5e-8, 3e-8])
def test_what_rounding_explains_passes(error: float) -> None:
    """The terms of dW2 are 0.29 in sum at most: 32 of them may leave 6e-7 where they cancel."""
    rows = judged({"W2": small_only(RIGHT["W2"], error)})

    assert rows["W2"].verdict is Verdict.ROUNDING
    assert rows["W2"].passed and not rows["W2"].approximate
    assert "approximate: False" in rows["W2"].line()
    assert rows["W2"].origin is None and rows["W2"].diagnosis == ()
    assert rows["W2"].notes == (ROUNDING,)
    assert Grade(tuple(rows.values()), "").complete


@pytest.mark.parametrize("error", [1e-6, 2e-6])
def test_what_no_order_of_the_sum_reaches_is_wrong(error: float) -> None:
    row = judged({"W2": small_only(RIGHT["W2"], error)})["W2"]

    assert row.verdict is Verdict.WRONG
    assert row.origin is Origin.OWN


def test_rounding_is_judged_given_the_students_own_upstream() -> None:
    logits = RIGHT["logits"] * (1 + 2**-18)  # cmp passes it
    follows = small_only(FORWARD["h"].T @ logits, 3e-8)

    assert judged({"logits": logits, "W2": follows})["W2"].verdict is Verdict.ROUNDING


FORWARD = reference(Instance.canonical(FULL)).state


def test_a_shape_that_broadcasts_rounds_like_any_other() -> None:
    row = judged({"bnmeani": small_only(RIGHT["bnmeani"], 3e-8, below=1e-3).flatten()})["bnmeani"]

    assert row.verdict is Verdict.ROUNDING


@pytest.mark.parametrize("instance", DRAWN, ids=lambda instance: instance.digest[:8])
def test_a_lost_minus_of_noise_is_seen(instance: Instance) -> None:
    row = played(instance, "dlogit_maxes = -dnorm_logits", "dlogit_maxes = dnorm_logits")["logit_maxes"]

    if row.verdict is Verdict.WRONG:
        assert row.origin is Origin.OWN and [each.code for each in row.diagnosis] == ["sign"]
    else:
        assert row.verdict is Verdict.APPROXIMATE and SIGN in row.notes


def test_zeros_for_a_gradient_that_is_zero_are_right() -> None:
    rows = judged({"logit_maxes": torch.zeros(32, 1)})

    assert rows["logit_maxes"].passed and not notes_of(rows)


def test_zeros_have_no_sign_to_turn() -> None:
    rows = judged({"norm_logits": torch.zeros(32, 27), "logit_maxes": torch.zeros(32, 1)})

    assert rows["logit_maxes"].passed and "logit_maxes" not in notes_of(rows)


@pytest.mark.parametrize("instance", DRAWN, ids=lambda instance: instance.digest[:8])
def test_a_forgotten_constant_that_cmp_fails_is_wrong_not_rounding(instance: Instance) -> None:
    rows = played(instance, "-0.5 * (bnvar + 1e-5) ** -1.5", "-0.5 * bnvar**-1.5")

    if rows["bnvar"].passed:
        assert notes_of(rows)["bnvar"] == [f"{BEYOND}: the 1e-05 in the line of bnvar_inv is missing"]
    else:
        assert own(rows) == {"bnvar"}
        assert not any(row.verdict is Verdict.ROUNDING for row in rows.values() if row.name in BELOW_BNVAR)


BELOW_BNVAR = "bndiff2 bndiff bnmeani hprebn".split()


def test_both_outcomes_of_the_two_mistakes_are_among_the_numbers_drawn() -> None:
    lost_minus = [played(each, "dlogit_maxes = -dnorm_logits", "dlogit_maxes = dnorm_logits") for each in DRAWN]
    lost_constant = [played(each, "-0.5 * (bnvar + 1e-5) ** -1.5", "-0.5 * bnvar**-1.5") for each in DRAWN]

    assert {rows["logit_maxes"].passed for rows in lost_minus} == {True, False}
    assert {rows["bnvar"].passed for rows in lost_constant} == {True, False}


def test_what_inherits_a_lost_constant_says_so() -> None:
    rows = played(DRAWN[0], "-0.5 * (bnvar + 1e-5) ** -1.5", "-0.5 * bnvar**-1.5")

    assert rows["bnvar"].passed and notes_of(rows)["bndiff2"] == [FROM_ABOVE.format("bnvar")]
    assert {row.origin for row in rows.values() if not row.passed} == {Origin.INHERITED}


@pytest.mark.parametrize("instance", DRAWN, ids=lambda instance: instance.digest[:8])
@pytest.mark.parametrize(
    ("new", "slip"),
    [
        ("dlogits = dnorm_logits.clone()", "the path through logit_maxes is missing"),
        (LOGITS.replace(" + ", " - "), "the term that comes through logit_maxes has the wrong sign"),
        (LOGITS.replace(" + ", " + 2 * "), "the path through logit_maxes is counted twice"),
        (
            LOGITS.replace("logits.argmax(1)", "logit_maxes.max(1).indices"),
            "the term that comes through logit_maxes stands at other elements",
        ),
    ],
)
def test_what_cmp_passes_by_accident_is_noted(instance: Instance, new: str, slip: str) -> None:
    rows = played(instance, LOGITS, new)

    assert rows["logits"].verdict is Verdict.APPROXIMATE
    assert notes_of(rows)["logits"] == [f"{BEYOND}: {slip}{IS_ZERO}"]
    assert all(row.passed for row in rows.values())  # what is lost is zero in mathematics


@pytest.mark.parametrize("times", [1, 40])
def test_too_few_or_too_many_numbers_of_a_term_are_not_called_misplaced(times: int) -> None:
    logits = RIGHT["norm_logits"].clone()
    elsewhere = (FORWARD["logits"].argmax(1) + 1) % 27
    for row in range(32):
        for column in range(-(-times // 32)):
            if row * 2 + column < times:
                logits[row, (elsewhere[row] + column) % 27] += RIGHT["logit_maxes"][row, 0]

    assert not any("other elements" in note for note in judged({"logits": logits})["logits"].notes)


def test_below_an_unusable_shape_the_right_gradient_goes_in() -> None:
    rows = judged({"h": torch.ones(7, 5), "hpreact": RIGHT["hpreact"] * (1 + 9e-6)})

    assert rows["hpreact"].passed


@pytest.mark.parametrize("instance", DRAWN, ids=lambda instance: instance.digest[:8])
@pytest.mark.parametrize(
    "new",
    [
        "dlogits = dlogit_maxes * F.one_hot(logits.argmax(1), num_classes=vocab_size) + dnorm_logits",
        "dlogits = F.softmax(logits, 1); dlogits[range(n), Yb] -= 1; dlogits = dlogits / n",
    ],
)
def test_a_right_style_is_noted_nowhere(instance: Instance, new: str) -> None:
    rows = played(instance, LOGITS, new)

    assert all(row.passed for row in rows.values())
    assert not notes_of(rows)


def test_more_than_any_chain_of_steps_rounds_is_noted_without_a_kind() -> None:
    rows = judged({"counts_sum": RIGHT["counts_sum"] * (1 + 8e-6)})

    assert rows["counts_sum"].verdict is Verdict.APPROXIMATE
    assert notes_of(rows) == {"counts_sum": [BEYOND]}


def test_less_than_a_chain_of_steps_may_round_is_not_noted() -> None:
    rows = judged({"counts_sum": RIGHT["counts_sum"] * (1 + 1.5e-6)})

    assert rows["counts_sum"].verdict is Verdict.APPROXIMATE
    assert not notes_of(rows)


def test_what_follows_from_a_noted_step_says_so() -> None:
    """A step that cmp passes, and one below that it passes too: right, given what is above."""
    h = RIGHT["h"] * (1 + 9e-6)
    hpreact = (1 - FORWARD["h"] ** 2) * h
    rows = judged({"h": h, "hpreact": hpreact})

    assert notes_of(rows) == {"h": [BEYOND], "hpreact": [FROM_ABOVE.format("h")]}


def test_what_is_beyond_rounding_is_told_by_name_and_what_follows_is_not() -> None:
    h = RIGHT["h"] * (1 + 9e-6)
    handed_in = {"h": h, "hpreact": (1 - FORWARD["h"] ** 2) * h}

    rows = [compare(each.name, normalise(handed_in.get(each.name)), RIGHT[each.name]) for each in FULL.checkpoints]
    tolerated = judge_rounding(reference(INSTANCE), handed_in, rows)

    assert tolerated.beyond == {"h"} and not tolerated.inherited


def test_what_is_less_than_the_rounding_of_the_step_comes_from_nowhere() -> None:
    norm_logits = RIGHT["norm_logits"] * (1 + 9e-6)
    rows = judged({"norm_logits": norm_logits, "logit_maxes": -norm_logits.sum(1, keepdim=True)})

    assert notes_of(rows) == {"norm_logits": [BEYOND]}


def test_what_is_no_noise_is_named_first() -> None:
    """Seed 20: the minus of dlogit_maxes may be lost, and cmp passes it."""
    instance = DRAWN[2]
    answers = dict(reference(instance).gradients)
    answers["norm_logits"] = answers["norm_logits"] * (1 - 9e-6)
    answers["logit_maxes"] = answers["norm_logits"].sum(1, keepdim=True)
    maxima = torch.nn.functional.one_hot(reference(instance).state["logits"].argmax(1), 27)
    answers["logits"] = answers["norm_logits"] + maxima * answers["logit_maxes"]
    handed_in = {each.name: normalise(answers[each.name]) for each in FULL.checkpoints}

    notes = notes_of({row.name: row for row in compare_all(instance, handed_in)})

    assert notes["norm_logits"] == [BEYOND] and notes["logit_maxes"] == [SIGN]
    assert notes["logits"] == [FROM_ABOVE.format("norm_logits")]


def test_what_cmp_fails_below_a_noted_step_inherits() -> None:
    logits = RIGHT["logits"] * torch.where(RIGHT["logits"] > 0, 1 + 9e-6, 1 - 9e-6)
    rows = judged({"logits": logits, "b2": logits.sum(0)})

    assert notes_of(rows) == {"logits": [BEYOND]}
    assert rows["b2"].verdict is Verdict.WRONG and rows["b2"].origin is Origin.INHERITED
    assert own(rows) == set()


def test_a_step_left_out_passes_on_what_is_off_above_it() -> None:
    h = RIGHT["h"] * (1 + 9e-6)
    follows = (1 - FORWARD["h"] ** 2) * h * FORWARD["bngain"]
    rows = judged({"h": h, "hpreact": None, "bnraw": follows})

    assert notes_of(rows) == {"h": [BEYOND], "bnraw": [FROM_ABOVE.format("h")]}


def test_exact_rows_play_nothing() -> None:
    rows = [Comparison("h", Verdict.EXACT, True, True), Comparison("W2", Verdict.MISSING)]

    assert judge_rounding(cast("Reference", None), {"h": RIGHT["h"]}, rows).rows == rows


def test_a_large_difference_is_not_worth_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a bound was computed")

    monkeypatch.setattr(tolerance, "BoundedBackward", never)

    assert judged({"h": RIGHT["h"] * 2})["h"].verdict is Verdict.WRONG
    below: dict[str, Tensor | None] = {"hprebn": 1000 * RIGHT["hprebn"], "b1": 1000 * RIGHT["b1"].flip(0)}
    monkeypatch.setattr("grader.origin.backward_replay.BackwardReplay._differs_by_rounding", lambda *_: False)
    assert judged(below)["b1"].verdict is Verdict.WRONG
    assert judged(below | {"b1": RIGHT["b1"] * 1.5})["b1"].verdict is Verdict.APPROXIMATE
    with pytest.raises(AssertionError, match="bound"):
        judged({"h": RIGHT["h"] * (1 + 1e-5)})


class Bent(Line):
    """A step whose derivative has no rule."""

    @cached_property
    def compute(self) -> Callable[[Reader], Tensor]:
        return lambda read: torch.special.i0(read("x"))


CURVE_X = {"x": torch.linspace(0.5, 2, 5)}
BENT_SUM = Call("sum", (("input", Name("bent")),))

CURVE = Exercise(
    slug="tests/curve",
    revision=1,
    title="",
    summary="",
    statement="",
    solution="",
    checkpoints=(Checkpoint("bent"), Checkpoint("x")),
    forward=Forward(
        (Bent("bent", "bent = i0(x)", Name("x"), 1), Line("loss", "loss = bent.sum()", BENT_SUM, 2)),
        "bent = i0(x)\nloss = bent.sum()",
    ),
    numbers=SameNumbers(CURVE_X),
)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda x: x * (1 + 2e-5), Verdict.WRONG),
        (lambda x: x * (1 + 8e-6), Verdict.APPROXIMATE),
    ],
)
def test_without_a_bound_a_row_stays_as_cmp_has_it(change: Callable[[Tensor], Tensor], verdict: Verdict) -> None:
    instance = Instance.canonical(CURVE)
    right = reference(instance).gradients

    rows = compare_all(instance, {"bent": normalise(right["bent"]), "x": normalise(change(right["x"]))})

    assert rows[1].verdict is verdict and rows[1].notes == ()
    assert rows[1].origin is (Origin.OWN if verdict is Verdict.WRONG else None)
