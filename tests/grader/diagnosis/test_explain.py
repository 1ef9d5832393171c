"""Each wrong row gets its origin and its kind; what cannot be told is said so."""

from __future__ import annotations

import pytest
import torch

from grader.answer import CHANGED_AFTER_CMP, Answer, normalise
from grader.compare import Origin, Verdict
from grader.grade import compare_all
from tests.grader.rows import FULL, INSTANCE, RIGHT, judged, own, written
from tests.mistakes.play import play


def test_right_steps_alone_are_not_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_need(*_: object) -> None:
        raise AssertionError("nothing is wrong, and the backward pass was played")

    monkeypatch.setattr("grader.diagnosis.explain.replay_backward", no_need)
    rows = judged({each.name: None for each in FULL.checkpoints if each.name not in ("dprobs", "probs", "hpreact")})
    assert sum(row.passed for row in rows.values()) == 2
    with pytest.raises(AssertionError):
        judged({"probs": -RIGHT["probs"]})


def test_an_answer_over_65536_elements_is_not_diagnosed() -> None:
    rows = judged({"h": torch.ones(65_536), "W2": torch.ones(65_537)})

    assert [rows[name].verdict for name in ("h", "W2")] == [Verdict.SHAPE, Verdict.SHAPE]
    assert rows["h"].origin is Origin.OWN
    assert rows["h"].diagnosis
    assert rows["W2"].origin is Origin.UNKNOWN
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


def test_a_change_after_cmp_is_told_of() -> None:
    answers = {each.name: normalise(RIGHT[each.name]) for each in FULL.checkpoints}
    answers["bndiff"] = Answer(RIGHT["bndiff"], (CHANGED_AFTER_CMP,))
    rows = {row.name: row for row in compare_all(INSTANCE, answers)}
    assert rows["bndiff"].passed and rows["bndiff"].diagnosis == ()
    assert any("clone()" in note for note in rows["bndiff"].notes)


def test_a_change_after_cmp_is_no_reason_for_what_cmp_saw() -> None:
    """``cmp('probs', dlogprobs, probs)``: the variable dprobs has other numbers, and nobody changed it."""
    answers = {each.name: normalise(RIGHT[each.name]) for each in FULL.checkpoints}
    answers["probs"] = Answer(RIGHT["logprobs"], (CHANGED_AFTER_CMP,))
    (row,) = [row for row in compare_all(INSTANCE, answers) if row.name == "probs"]
    assert [each.code for each in row.diagnosis] == ["missing_local"]
    assert not any("handed it to cmp" in each.message for each in row.diagnosis)


def test_nothing_is_told_below_an_unusable_shape() -> None:
    """Demb of shape [32, 30]: what a loop over its places makes of it, nobody meant."""
    rows = {row.name: row for row in play(INSTANCE, FULL.solution.replace(".view(emb.shape)", ""))}
    assert rows["emb"].origin is Origin.OWN
    assert rows["C"].origin is Origin.UNKNOWN and any("demb has another shape" in note for note in rows["C"].notes)


def test_no_mistake_is_claimed_below_an_unusable_shape() -> None:
    answers = {"emb": normalise(torch.ones(7, 5)), "C": normalise(-RIGHT["C"])}

    rows = {row.name: row for row in compare_all(INSTANCE, answers)}

    assert rows["C"].origin is Origin.UNKNOWN
    assert rows["C"].diagnosis == ()


def test_other_dtypes_are_looked_at_as_float32() -> None:
    answers = {each.name: normalise(RIGHT[each.name]) for each in FULL.checkpoints}
    answers["h"] = normalise(RIGHT["h"].bfloat16())
    answers["W2"] = normalise(torch.ones_like(RIGHT["W2"], dtype=torch.int64))
    answers["b2"] = normalise(RIGHT["b2"] * 1j)
    rows = {row.name: row for row in compare_all(INSTANCE, answers)}
    assert rows["h"].origin is Origin.OWN and "lost digits" in rows["h"].diagnosis[0].message
    assert rows["W2"].origin is Origin.OWN and rows["b2"].origin is Origin.UNKNOWN
