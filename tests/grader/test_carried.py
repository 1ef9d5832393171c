"""Own or inherited: what is right given the student's own gradients, and what proves nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from exercises.instance import Instance
from exercises.registry import exercises, find
from grader.answer import normalise
from grader.carried import back_by_element
from grader.compare import Comparison, Origin, Verdict
from grader.grade import Grade, compare_all
from grader.likeness import align, close, fit, proves_nothing
from grader.reference import reference
from tests.mistakes.catalogue import Mistake, load, source
from tests.mistakes.play import play

FULL = find("makemore/full-backward")
INSTANCE = Instance.canonical(FULL)
RIGHT = dict(reference(INSTANCE).gradients)
MISTAKES = load()
CANONICAL = {slug: Instance.canonical(exercise) for slug, exercise in exercises().items()}


def judged(changed: dict[str, Tensor | None]) -> dict[str, Comparison]:
    """Rows of the right answers with some of them changed, or left out."""
    values = {each.name: changed.get(each.name, RIGHT[each.name]) for each in FULL.checkpoints}
    answers = {name: normalise(value) for name, value in values.items() if value is not None}
    return {row.name: row for row in compare_all(INSTANCE, answers)}


def written(*changes: tuple[str, str]) -> dict[str, Comparison]:
    """Rows of the solution with some of its text replaced."""
    code = FULL.solution
    for old, new in changes:
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    return {row.name: row for row in play(INSTANCE, code)}


def own(rows: dict[str, Comparison]) -> set[str]:
    return {row.name for row in rows.values() if row.origin is Origin.OWN}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_each_mistake_of_the_catalogue_is_found_where_it_was_made_and_nowhere_else(mistake: Mistake) -> None:
    rows = {row.name: row for row in play(CANONICAL[mistake.exercise], source(mistake.exercise, [mistake]))}
    assert own(rows) == {mistake.first}
    for row in rows.values():
        if row.passed:
            assert row.origin is None and row.diagnosis == ()


def test_a_right_answer_has_no_origin() -> None:
    assert all(row.origin is None for row in judged({}).values())


def test_right_steps_alone_are_not_gone_back_from(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_need(*_: object) -> None:
        raise AssertionError("nothing is wrong, and the backward pass was played")

    monkeypatch.setattr("grader.diagnosis.explain.carry", no_need)
    rows = judged({each.name: None for each in FULL.checkpoints if each.name not in ("dprobs", "probs", "hpreact")})
    assert sum(row.passed for row in rows.values()) == 2
    with pytest.raises(AssertionError):
        judged({"probs": -RIGHT["probs"]})


def test_one_mistake_at_the_top_is_inherited_by_all_below() -> None:
    rows = written(("-1.0 / n", "-1.0"))
    assert rows["logprobs"].origin is Origin.OWN
    assert {row.origin for name, row in rows.items() if name != "logprobs" and not row.passed} == {Origin.INHERITED}


def test_three_mistakes_are_three() -> None:
    rows = written(("counts_sum_inv + dcounts_sum ", "counts_sum_inv "), ("h**2", "h"), ("** -1.5", "** -0.5"))
    assert own(rows) == {"counts", "hpreact", "bnvar"}


def test_a_step_that_is_right_under_a_wrong_one_is_right() -> None:
    rows = judged({"counts": RIGHT["counts"] * 3})
    assert own(rows) == {"counts"}
    assert all(row.passed and row.origin is None for name, row in rows.items() if name != "counts")


def test_a_gradient_that_was_not_summed_is_multiplied_on_element_by_element() -> None:
    """dbnvar_inv [32, 64] in place of [1, 64]: the lines below broadcast it, and are right."""
    rows = written(("dbnvar_inv = (dbnraw * bndiff).sum(0, keepdim=True)", "dbnvar_inv = dbnraw * bndiff"))
    assert own(rows) == {"bnvar_inv"}
    assert rows["bnvar"].origin is rows["bndiff2"].origin is rows["bndiff"].origin is Origin.INHERITED


def test_a_gradient_turned_over_is_gone_on_with() -> None:
    rows = judged({"embcat": RIGHT["embcat"].T * 2, "emb": (RIGHT["embcat"] * 2).view(32, 3, 10), "C": RIGHT["C"] * 2})
    assert own(rows) == {"embcat"}


def test_a_missing_gradient_is_carried_through_and_the_row_says_so() -> None:
    """Dcounts follows from the wrong dprobs alone, in one expression."""
    wrong: dict[str, Tensor | None] = {"probs": RIGHT["probs"] * 2, "counts": RIGHT["counts"] * 2}
    rows = judged(wrong | {"counts_sum_inv": None, "counts_sum": None})
    assert rows["counts"].origin is Origin.INHERITED
    assert any("dcounts_sum is missing" in note for note in rows["counts"].notes)
    assert rows["counts_sum"].verdict is Verdict.MISSING and rows["counts_sum"].origin is None


def test_a_mistake_is_inherited_through_a_missing_gradient_alone() -> None:
    """The wrong dprobs reaches dcounts_sum only through dcounts_sum_inv, which is missing."""
    wrong = {"probs": RIGHT["probs"] * 2, "counts_sum_inv": None, "counts_sum": RIGHT["counts_sum"] * 2}

    rows = judged(wrong)

    assert own(rows) == {"probs"}
    assert rows["counts_sum"].origin is Origin.INHERITED


def test_zero_everywhere_makes_nothing_below_it_right_or_wrong() -> None:
    rows = written(("dlogprobs[range(n), Yb] = -1.0 / n", "pass"))
    assert own(rows) == {"logprobs"}
    below = [row for name, row in rows.items() if name != "logprobs" and not row.passed]
    assert len(below) > 20
    for row in below:
        assert row.origin is None and row.diagnosis == ()
        assert any("while dlogprobs is zero everywhere" in note for note in row.notes)


def test_a_wrong_gradient_below_a_zero_one_is_a_mistake_of_its_own() -> None:
    rows = judged({"probs": torch.zeros(32, 27), "counts_sum_inv": RIGHT["counts_sum_inv"] * 2})
    assert own(rows) == {"probs", "counts_sum_inv"}


def test_not_finite_proves_nothing_either() -> None:
    rows = written(("dlogprobs / probs", "dlogprobs / 0"))
    assert own(rows) == {"probs"}
    assert rows["counts"].origin is None and rows["counts"].verdict is Verdict.NOT_FINITE
    assert rows["h"].origin is None


def test_a_zero_term_of_a_sum_is_a_term_like_any_other() -> None:
    """Only dcounts_sum is zero; dcounts is what it and dprobs give, and that is not nothing."""
    rows = written(("-(counts_sum**-2) * dcounts_sum_inv", "torch.zeros_like(counts_sum)"))
    assert own(rows) == {"counts_sum"}
    assert rows["counts"].origin is Origin.INHERITED


def test_a_true_zero_is_no_reason_to_doubt() -> None:
    rows = judged({"logit_maxes": torch.zeros(32, 1), "h": RIGHT["h"] * 2})
    assert own(rows) == {"h"} and rows["logit_maxes"].passed


def test_a_spoiled_variable_does_not_spoil_the_steps_that_used_it_before() -> None:
    """Dbndiff changes after dbnmeani was computed from it, and something above is wrong too."""
    rows = written(
        ("dcounts = dprobs * counts_sum_inv + dcounts_sum ", "dcounts = dprobs * counts_sum_inv "),
        ("dhprebn = dbndiff + 1 / n * dbnmeani", "dhprebn = dbndiff\ndhprebn += 1 / n * dbnmeani"),
    )
    assert own(rows) == {"counts", "bndiff"}


def test_rounding_is_no_mistake() -> None:
    """An answer that cmp calls wrong by a hair: the row says so, and nobody is told of a mistake."""
    noise = torch.full_like(RIGHT["W2"], 3e-8) * (RIGHT["W2"].abs() < 1e-4)
    rows = judged({"W2": RIGHT["W2"] + noise})
    assert rows["W2"].verdict is Verdict.WRONG
    assert rows["W2"].origin is None and rows["W2"].diagnosis == ()
    assert any("but for rounding" in note for note in rows["W2"].notes)


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


@pytest.mark.parametrize(("error", "origin"), [(3e-7, None), (1e-6, Origin.OWN), (2e-6, Origin.OWN)])
def test_rounding_ends_where_no_order_of_the_sum_reaches(error: float, origin: Origin | None) -> None:
    """The terms of dW2 are at most 0.29 in sum: float32 leaves some 6e-7 where they cancel."""
    small = RIGHT["W2"].abs() < 1e-4
    assert small.any()

    row = judged({"W2": RIGHT["W2"] + error * small})["W2"]

    assert row.verdict is Verdict.WRONG
    assert row.origin is origin


def test_an_answer_over_65536_elements_is_not_diagnosed() -> None:
    rows = judged({"h": torch.ones(65_536), "W2": torch.ones(65_537)})

    assert [rows[name].verdict for name in ("h", "W2")] == [Verdict.SHAPE, Verdict.SHAPE]
    assert rows["h"].origin is Origin.OWN
    assert rows["h"].diagnosis
    assert rows["W2"].origin is None
    assert rows["W2"].diagnosis == ()


def test_code_that_stopped_leaves_unfinished_rows_not_mistakes() -> None:
    rows = written(
        ("(dprobs * counts).sum(1, keepdim=True)", "(dprobs * counts).sum(1)"),
        (
            "dcounts = dprobs * counts_sum_inv + dcounts_sum ",
            "dcounts = dprobs * counts_sum_inv\ndcounts += dcounts_sum ",
        ),
    )
    assert own(rows) == {"counts_sum_inv"}
    assert any("stopped" in note for note in rows["counts"].notes)


@pytest.mark.parametrize(
    ("given", "shape", "expected"),
    [
        ((64,), (1, 64), (1, 64)),
        ((1, 64), (32, 64), (32, 64)),
        ((32, 64), (1, 64), (1, 64)),
        ((32,), (32, 1), (32, 1)),
        ((64, 32), (32, 64), (32, 64)),
        ((7, 5), (32, 64), None),
        ((1024, 64), (1, 64), (1, 64)),
        ((1025, 64), (1, 64), None),  # more than LARGEST_BROADCAST
    ],
)
def test_fit(given: tuple[int, ...], shape: tuple[int, ...], expected: tuple[int, ...] | None) -> None:
    found = fit(torch.ones(given), torch.Size(shape))
    assert (None if found is None else tuple(found.shape)) == expected


def test_fit_keeps_the_numbers_where_keepdim_was_lost() -> None:
    lost = torch.arange(32.0)

    found = fit(lost, torch.Size([32, 1]))

    assert found is not None and found.equal(lost[:, None])


def test_going_back_by_element_is_bounded() -> None:
    step = next(step for step in reference(INSTANCE).cut.steps if step.name == "bnvar_inv")

    assert back_by_element(step, "bnvar", torch.ones(1024, 64)) is not None
    assert back_by_element(step, "bnvar", torch.ones(1025, 64)) is None


def test_close_goes_with_the_size_of_the_gradient() -> None:
    right = torch.tensor([1.0, -2.0, 0.0])
    for size in (1e-12, 1.0, 1e12):
        assert close(size * (right + torch.tensor([1e-6, -1e-6, 1e-6])), size * right)
        assert not close(size * (right + torch.tensor([0.0, 0.0, 1e-4])), size * right)
    assert not close(torch.zeros(3), right * 1e-12)
    assert not close(right * float("nan"), right)


def test_align_reads_an_answer_as_cmp_does() -> None:
    assert align(torch.ones(1, 27), torch.Size([27])) is not None
    assert align(torch.ones(27), torch.Size([32, 27])) is not None
    assert align(torch.ones(32), torch.Size([32, 1])) is None


def test_what_proves_nothing() -> None:
    assert proves_nothing(torch.zeros(3)) and proves_nothing(torch.tensor([1.0, float("inf")]))
    assert proves_nothing(torch.tensor([float("nan")])) and not proves_nothing(torch.tensor([0.0, 1e-30]))


def test_the_summary_says_where_to_begin_and_what_inherits_it() -> None:
    grade = Grade(tuple(written(("counts_sum_inv + dcounts_sum ", "counts_sum_inv ")).values()), "here")
    assert grade.summary() == "1 mistake of your own, 20 steps inherit it; begin with dcounts"
    assert grade.first_mistake is not None and grade.first_mistake.name == "counts"
    assert Grade(tuple(judged({}).values()), "here").summary() == "everything is right"


def test_the_summary_names_the_first_of_several_mistakes() -> None:
    rows = judged({"probs": RIGHT["probs"] * 3, "W2": RIGHT["W2"] * 3, "b2": RIGHT["b2"] * 3, "C": None})
    grade = Grade(tuple(rows.values()), "here")

    assert grade.summary() == "3 mistakes of your own, 1 missing or not to be judged yet; begin with dprobs"
    assert grade.first_mistake is rows["probs"]


def test_the_summary_counts_one_as_one() -> None:
    upstream = RIGHT["embcat"] * 2
    rows = judged({"embcat": upstream, "emb": upstream.view(32, 3, 10)})
    two = judged({"embcat": upstream, "emb": upstream.view(32, 3, 10), "h": RIGHT["h"] * 3})

    assert Grade(tuple(rows.values()), "here").summary() == (
        "1 mistake of your own, 1 step inherits it; begin with dembcat"
    )
    assert Grade(tuple(two.values()), "here").summary() == (
        "2 mistakes of your own, 1 step inherits them; begin with dh"
    )


def test_inherited_steps_earn_what_the_course_pays() -> None:
    grade = Grade(tuple(written(("counts_sum_inv + dcounts_sum ", "counts_sum_inv ")).values()), "here")
    assert grade.points() == grade.passed == 5
    assert grade.points(inherited_share=0.5) == 5 + 0.5 * 20
