"""Own or inherited: what is right given the student's own gradients, and what proves nothing."""

from __future__ import annotations

import dataclasses
from typing import cast

import pytest
import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.registry import exercises
from exercises.tape import variables
from grader.answer import normalise
from grader.compare import Comparison, Origin, Verdict
from grader.grade import Grade, compare_all
from grader.reference.gradients import reference
from tests.grader.diagnosis.test_search import ATTENTION
from tests.grader.rounding.test_tolerance import CURVE
from tests.grader.rows import FULL, INSTANCE, RIGHT, judged, own, written
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


def inherits_constant(rows: dict[str, Comparison]) -> set[str]:
    return {row.name for row in rows.values() if row.inherits_constant}


@pytest.mark.parametrize("number", ["1.0", "-1.0 / n", "1.0 + 1e-6 * torch.rand_like(logprobs)"])
def test_no_credit_is_inherited_from_a_constant(number: str) -> None:
    """All that follows from ones at the top is right, given the ones, and earns nothing."""
    rows = written(("dlogprobs[range(n), Yb] = -1.0 / n", f"dlogprobs[:] = {number}"))

    inherited = {row.name for row in rows.values() if row.origin is Origin.INHERITED}
    assert len(inherited) > 10
    assert inherits_constant(rows) == inherited
    assert not any(row.inherits_credit for row in rows.values())
    assert "dlogprobs is the same number everywhere: no credit is inherited" in rows["probs"].notes[-1]


def test_ones_in_every_shape_are_a_constant() -> None:
    for ones in (torch.ones(32, 64), torch.ones(()), torch.ones(1, 64), torch.full((32, 64), 7.0)):
        given = ones.expand(32, 64)
        rows = judged({"h": ones, "hpreact": (1 - reference(INSTANCE).state["h"] ** 2) * given})
        assert rows["hpreact"].origin is Origin.INHERITED
        assert inherits_constant(rows) == {"hpreact"}


def test_credit_is_inherited_from_any_other_gradient() -> None:
    rows = written(("-1.0 / n", "-1.0"))

    inherited = {row.name for row in rows.values() if row.origin is Origin.INHERITED}
    assert inherits_constant(rows) == set()
    assert {row.name for row in rows.values() if row.inherits_credit} == inherited


def test_a_constant_in_one_of_two_paths_costs_the_sum_and_no_more() -> None:
    """Dcounts adds dcounts_sum, which is zero, to a right term. What follows from dcounts is work."""
    rows = written(("-(counts_sum**-2) * dcounts_sum_inv", "torch.zeros_like(counts_sum)"))

    assert inherits_constant(rows) == {"counts"}
    assert rows["norm_logits"].inherits_credit


def test_where_a_constant_is_right_another_one_is_a_mistake_like_others() -> None:
    instance = Instance.canonical(CURVE)
    right = reference(instance).gradients
    assert bool((right["bent"] == 1).all())

    rows = compare_all(instance, {name: normalise(right[name] / 2) for name in ("bent", "x")})

    assert [row.origin for row in rows] == [Origin.OWN, Origin.INHERITED]
    assert rows[1].inherits_credit


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


def context_of(*changes: tuple[str, str]) -> dict[str, Tensor]:
    """The gradients that the solution leaves with some of its text replaced."""
    code = FULL.solution
    for old, new in changes:
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    names: dict[str, object] = {**variables(INSTANCE.tensors()), "torch": torch, "F": torch.nn.functional}
    exec(code, names)
    return {each.name: cast("Tensor", names[each.answer]) for each in FULL.checkpoints}


def of_these(answers: dict[str, Tensor], context: dict[str, Tensor] | None = None) -> Grade:
    """The grade of some answers alone, with context."""
    read = {name: normalise(value) for name, value in answers.items()}
    above = {name: normalise(value) for name, value in (context or {}).items()}
    return Grade(compare_all(INSTANCE, read, context=above), "")


def rows_of(grade: Grade) -> dict[str, Comparison]:
    return {row.name: row for row in grade.checkpoints}


HPREACT = ("dhpreact = (1.0 - h**2) * dh", "dhpreact = h * (1 - h) * dh")
NOT_ASSIGNED = (
    ("dhpreact = (1.0 - h**2) * dh", "dpre = h * (1 - h) * dh"),
    ("dbngain = (dhpreact * bnraw)", "dbngain = (dpre * bnraw)"),
    ("dbnbias = dhpreact.sum", "dbnbias = dpre.sum"),
    ("dbnraw = dhpreact * bngain", "dbnraw = dpre * bngain"),
)


class TestUnknown:
    def test_one_step_alone_is_here_or_above(self) -> None:
        """Only dC, with a mistake in dhpreact: nothing is said about the line of emb."""
        row = rows_of(of_these({"C": context_of(HPREACT)["C"]}))["C"]

        assert row.origin is Origin.UNKNOWN and row.diagnosis == ()
        assert row.notes == ("the mistake is here, in demb, which you did not hand in, or above; hand it in as well",)
        assert row.blames == ("emb",)

    def test_two_steps_above_are_both_named(self) -> None:
        row = rows_of(of_these({"counts": -RIGHT["counts"]}))["counts"]

        assert row.notes == (
            "the mistake is here, in dprobs or dcounts_sum, which you did not hand in, or above; hand them in as well",
        )

    def test_only_what_is_missing_is_named(self) -> None:
        row = rows_of(of_these({"counts": -RIGHT["counts"], "probs": RIGHT["probs"]}))["counts"]

        assert row.blames == ("counts_sum",)

    def test_nothing_is_missing_above_the_first_step(self) -> None:
        assert rows_of(of_these({"logprobs": -RIGHT["logprobs"]}))["logprobs"].origin is Origin.OWN

    @pytest.mark.parametrize("slug", ["makemore/cross-entropy", "makemore/batch-norm"])
    def test_a_closed_form_starts_from_the_loss(self, slug: str) -> None:
        instance = CANONICAL[slug]
        (name,) = (each.name for each in instance.exercise.checkpoints)
        wrong = -reference(instance).gradients[name]

        (row,) = compare_all(instance, {name: normalise(wrong)})

        assert row.origin is Origin.OWN and [each.code for each in row.diagnosis] == ["sign"]

    def test_a_step_that_is_not_asked_for_is_looked_through(self) -> None:
        """Dq comes through scores, which is no checkpoint here, from weights, which was not handed in."""
        asked = tuple(each for each in ATTENTION.checkpoints if each.name != "scores")
        instance = Instance.canonical(dataclasses.replace(ATTENTION, checkpoints=asked))

        rows = {row.name: row for row in compare_all(instance, {"q": normalise(-reference(instance).gradients["q"])})}

        assert rows["q"].origin is Origin.UNKNOWN and rows["q"].blames == ("weights",)

    def test_a_right_step_alone_is_right(self) -> None:
        assert rows_of(of_these({"C": RIGHT["C"]}))["C"].passed

    def test_below_unusable_tensors_nothing_is_claimed(self) -> None:
        rows = rows_of(of_these({"h": torch.ones(7, 5), "hpreact": -RIGHT["hpreact"]}))

        assert rows["hpreact"].origin is Origin.UNKNOWN
        assert "while dh has another shape" in rows["hpreact"].notes[0]


class TestRecovered:
    def test_a_gradient_never_assigned_is_found_in_what_was_made_of_it(self) -> None:
        rows = written(*NOT_ASSIGNED)

        assert own(rows) == set()
        for name in ("bngain", "bnbias", "bnraw"):
            assert rows[name].origin is Origin.INHERITED and rows[name].blames == ("hpreact",)
            assert rows[name].notes == (
                "right, given the dhpreact that dbngain, dbnraw and dbnbias agree on; look at dhpreact, which you did "
                "not hand in",
            )
        assert rows["hpreact"].verdict is Verdict.MISSING and rows["hpreact"].origin is None
        assert "hand in dhpreact as well, and begin there" in rows["hpreact"].notes[-1]
        assert {row.origin for row in rows.values() if not row.passed} == {None, Origin.INHERITED}

    def test_where_to_begin_is_what_was_not_handed_in(self) -> None:
        grade = Grade(tuple(written(*NOT_ASSIGNED).values()), "")

        assert grade.summary() == (
            "13 steps inherit a mistake from above, 1 missing or not to be judged yet; begin with dhpreact"
        )

    def test_least_squares_recover_what_a_product_was_made_of(self) -> None:
        wrong = 3 * RIGHT["logits"]
        state = reference(INSTANCE).state
        made = {"h": wrong @ state["W2"].T, "W2": state["h"].T @ wrong, "b2": wrong.sum(0)}

        rows = rows_of(of_these(made))

        assert {rows[name].origin for name in made} == {Origin.INHERITED}
        assert {rows[name].blames for name in made} == {("logits",)}

    def test_one_answer_alone_proves_nothing(self) -> None:
        rows = rows_of(of_these({"bnraw": context_of(HPREACT)["bnraw"]}))

        assert rows["bnraw"].origin is Origin.UNKNOWN

    def test_answers_that_do_not_agree_prove_nothing(self) -> None:
        wrong = context_of(HPREACT)

        rows = rows_of(of_these({"bnraw": wrong["bnraw"], "bnbias": 2 * wrong["bnbias"]}))

        assert rows["bnraw"].origin is rows["bnbias"].origin is Origin.UNKNOWN

    def test_an_answer_that_passed_may_not_contradict(self) -> None:
        wrong = context_of(HPREACT)

        rows = rows_of(of_these({"bnraw": wrong["bnraw"], "bnbias": wrong["bnbias"], "bngain": RIGHT["bngain"]}))

        assert rows["bnraw"].origin is rows["bnbias"].origin is Origin.UNKNOWN

    def test_an_answer_that_passed_is_no_second_witness(self) -> None:
        """Dbnraw is off by what adds up to nothing in dbnbias, which is right; dbngain is wrong in its own way."""
        off = torch.zeros(32, 64)
        off[0], off[1] = 1e-2, -1e-2
        bnraw = (RIGHT["hpreact"] + off) * reference(INSTANCE).state["bngain"]

        rows = rows_of(of_these({"bnraw": bnraw, "bnbias": RIGHT["bnbias"], "bngain": -RIGHT["bngain"]}))

        assert rows["bnbias"].passed
        assert rows["bnraw"].origin is rows["bngain"].origin is Origin.UNKNOWN

    def test_zeros_are_no_witness(self) -> None:
        rows = rows_of(of_these({"bnraw": torch.zeros(32, 64), "bnbias": torch.zeros(1, 64)}))

        assert rows["bnraw"].blames == rows["bnbias"].blames == ("hpreact",)
        assert rows["bnraw"].origin is rows["bnbias"].origin is Origin.UNKNOWN

    def test_what_inherits_from_within_tolerance_still_does(self) -> None:
        """Dlogits is off by what cmp passes, db2 by what it fails; further down dhpreact is recovered."""
        logits = RIGHT["logits"] * torch.where(RIGHT["logits"] > 0, 1 + 9e-6, 1 - 9e-6)
        wrong = context_of(HPREACT)
        below = {name: wrong[name] for name in ("bngain", "bnbias", "bnraw")}

        rows = judged({"logits": logits, "b2": logits.sum(0), "hpreact": None, **below})

        assert rows["bnraw"].blames == ("hpreact",)
        assert rows["b2"].verdict is Verdict.WRONG and rows["b2"].origin is Origin.INHERITED

    def test_what_is_wrong_given_the_recovered_gradient_is_own(self) -> None:
        wrong = context_of(HPREACT)

        rows = rows_of(of_these({"bnraw": wrong["bnraw"], "bnbias": wrong["bnbias"], "bngain": -wrong["bngain"]}))

        assert rows["bnraw"].origin is rows["bnbias"].origin is Origin.INHERITED
        assert rows["bngain"].origin is Origin.OWN
        assert [each.code for each in rows["bngain"].diagnosis] == ["sign"]

    def test_other_parts_of_a_sum_are_taken_off_first(self) -> None:
        """Dcounts comes from probs, which is missing, and from counts_sum, which is there and right."""
        state = reference(INSTANCE).state
        probs = 2 * RIGHT["probs"]
        made = {
            "counts": probs * state["counts_sum_inv"] + RIGHT["counts_sum"],
            "counts_sum_inv": (probs * state["counts"]).sum(1, keepdim=True),
        }

        rows = rows_of(of_these({**made, "counts_sum": RIGHT["counts_sum"]}))

        assert rows["counts"].origin is rows["counts_sum_inv"].origin is Origin.INHERITED
        assert rows["counts"].blames == ("probs",)

    def test_other_parts_of_a_sum_may_be_missing_too(self) -> None:
        """Dcounts_sum follows from dcounts_sum_inv, which is there, so that the rest of dcounts is known."""
        wrong = context_of(("dprobs = dlogprobs / probs", "dprobs = 2 * dlogprobs / probs"))

        rows = rows_of(of_these({name: wrong[name] for name in ("counts", "counts_sum_inv")}))

        assert rows["counts"].origin is rows["counts_sum_inv"].origin is Origin.INHERITED
        assert rows["counts"].blames == ("probs",)

    def test_what_agrees_with_the_gradients_above_needs_no_recovery(self) -> None:
        wrong = context_of(("dh = dlogits @ W2.T", "dh = 2 * dlogits @ W2.T"))
        made = {name: wrong[name] for name in ("h", "bnraw", "bnbias")}

        rows = rows_of(of_these({"logits": RIGHT["logits"], **made}))

        assert own(rows) == {"h"}
        assert rows["bnraw"].origin is Origin.INHERITED and rows["bnraw"].blames == ()
        assert "dhpreact is missing" in rows["bnraw"].notes[0]

    def test_a_recovered_gradient_that_inherits_is_not_blamed(self) -> None:
        """Dbnraw was doubled after it went into dbndiff; the other part of dbndiff has a mistake of its own."""
        state = reference(INSTANCE).state
        bndiff2 = RIGHT["bndiff2"] * torch.arange(32.0)[:, None]
        bndiff = RIGHT["bnraw"] * state["bnvar_inv"] + 2 * state["bndiff"] * bndiff2
        bnmeani = -bndiff.sum(0, keepdim=True)
        changed: dict[str, Tensor | None] = {
            "bnraw": 2 * RIGHT["bnraw"],
            "bndiff2": bndiff2,
            "bndiff": None,
            "bnmeani": bnmeani,
            "hprebn": bndiff + bnmeani / 32,
        }

        rows = judged(changed)

        assert {"bnraw", "bndiff2"} <= own(rows)
        assert rows["hprebn"].origin is Origin.INHERITED and rows["hprebn"].blames == ()
        assert not any("begin there" in note for note in rows["bndiff"].notes)


class TestContext:
    def test_a_step_alone_is_judged_by_its_context(self) -> None:
        answers = context_of(HPREACT)

        grade = of_these({"C": answers["C"]}, {name: value for name, value in answers.items() if name != "C"})

        row = rows_of(grade)["C"]
        assert row.origin is Origin.INHERITED and row.diagnosis == ()
        assert row.blames == ("hpreact",)
        assert row.notes[0] == "look at dhpreact first"
        assert grade.summary().endswith("begin with dhpreact")

    def test_context_has_no_row_and_no_diagnosis(self) -> None:
        answers = context_of(HPREACT)

        rows = rows_of(of_these({"bngain": answers["bngain"]}, {"hpreact": answers["hpreact"], "h": answers["h"]}))

        for name in ("hpreact", "h"):
            assert rows[name].verdict is Verdict.MISSING
            assert rows[name].origin is None and rows[name].diagnosis == () and rows[name].blames == ()
            assert rows[name].notes == (f"d{name} came as context, and is not graded; hand it in to have it graded",)

    def test_a_mistake_under_context_is_own(self) -> None:
        answers = context_of(HPREACT)

        rows = rows_of(of_these({"bngain": -answers["bngain"]}, {"hpreact": answers["hpreact"]}))

        assert rows["bngain"].origin is Origin.OWN
        assert [each.code for each in rows["bngain"].diagnosis] == ["sign"]

    def test_an_own_mistake_that_has_a_row_is_where_to_begin(self) -> None:
        answers = context_of(HPREACT)

        grade = of_these({"hpreact": answers["hpreact"], "bngain": answers["bngain"]}, {"h": answers["h"]})

        assert rows_of(grade)["bngain"].blames == ()
        assert grade.summary().startswith("1 mistake of your own, 1 step inherits it")

    def test_context_above_that_is_unknown_itself_is_not_blamed(self) -> None:
        answers = context_of(HPREACT)

        row = rows_of(of_these({"bngain": answers["bngain"]}, {"hpreact": answers["hpreact"]}))["bngain"]

        assert row.origin is Origin.INHERITED and row.blames == ()

    def test_mistakes_in_the_context_use_up_no_search(self) -> None:
        noise = torch.Generator().manual_seed(4)
        context = dict(RIGHT) | {
            name: torch.randn(RIGHT[name].shape, generator=noise) for name in ("probs", "h", "bnraw", "bnmeani")
        }

        rows = rows_of(of_these({"C": -RIGHT["C"]}, {each.name: context[each.name] for each in FULL.checkpoints}))

        assert [each.code for each in rows["C"].diagnosis] == ["sign"]

    def test_only_what_is_above_is_blamed(self) -> None:
        """Dv and dk are wrong, too, and come first; dWq is made of dq alone."""
        instance = Instance.canonical(ATTENTION)
        right = reference(instance).gradients
        context = {each.name: normalise(right[each.name].clone()) for each in ATTENTION.checkpoints}
        context |= {name: normalise(-right[name]) for name in ("v", "k", "q")}

        rows = compare_all(instance, {"Wq": normalise(-right["Wq"])}, context=context)

        assert [row.blames for row in rows if row.name == "Wq"] == [("q",)]

    def test_every_row_has_the_origin_that_all_together_have(self) -> None:
        """One cmp after another says what one check of all says."""
        answers = context_of(HPREACT, ("bnvar_inv + 2 *", "bnvar_inv + 3 *"), ("dW1 = embcat.T", "dW1 = -embcat.T"))
        together = rows_of(of_these(answers))

        for name in answers:
            context = {each: value for each, value in answers.items() if each != name}
            alone = rows_of(of_these({name: answers[name]}, context))[name]
            assert (alone.verdict, alone.origin) == (together[name].verdict, together[name].origin), name
        assert own(together) == {"hpreact", "bndiff", "W1"}


def test_another_order_of_a_sum_inherits_what_is_noise() -> None:
    """Db1 is zero in mathematics. Under a mistake its noise grows, and every order of the sum gives another."""
    hprebn = 1000 * RIGHT["hprebn"]
    order = torch.randperm(32, generator=torch.Generator().manual_seed(2))

    rows = judged({"hprebn": hprebn, "b1": hprebn[order].cumsum(0)[-1]})

    assert rows["hprebn"].origin is Origin.OWN
    assert rows["b1"].verdict is Verdict.WRONG and rows["b1"].origin is Origin.INHERITED


def test_a_large_difference_is_not_worth_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a bound was computed")

    monkeypatch.setattr("grader.origin.backward_replay.BoundedBackward", never)

    assert own(judged({"h": 2 * RIGHT["h"], "hpreact": 5 * RIGHT["hpreact"]})) == {"h", "hpreact"}
    with pytest.raises(AssertionError, match="bound"):
        judged({"h": 2 * RIGHT["h"], "hpreact": 2 * RIGHT["hpreact"] * (1 + 5e-5)})


def test_without_a_bound_a_small_difference_is_own() -> None:
    instance = Instance.canonical(CURVE)
    right = reference(instance).gradients

    rows = compare_all(instance, {"bent": normalise(2 * right["bent"]), "x": normalise(2 * right["x"] * (1 + 5e-5))})

    assert [row.origin for row in rows] == [Origin.OWN, Origin.OWN]
