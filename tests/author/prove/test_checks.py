"""The checks, one by one, where an authoring error does not reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from author.mistakes.grading import Outcome
from author.mistakes.key import Line
from author.mistakes.making import Mistake
from author.precise import PrecisePass
from author.prove.caught import found_in
from author.prove.findings import Fault, FaultAt, Finding
from author.prove.hints import hints
from author.prove.oracle import slopes
from author.prove.parts import parts
from author.prove.right_key import right_key
from author.prove.subject import Subject
from exercises.exercise import Exercise
from exercises.folder import load
from grader.diagnosis.codes import Code
from grader.reference.gradients import Reference
from tests.author.subjects import SMALL, exercise, line, subject


@dataclass(frozen=True)
class Doctored(Subject):
    """A subject whose reference has a wrong gradient at one checkpoint."""

    wrong: str = ""

    def reference(self, seed: int) -> Reference:
        right = super().reference(seed)
        return replace(right, gradients={**right.gradients, self.wrong: 1.01 * right.gradients[self.wrong]})


def folder(path: Path, forward: str, given: str, settings: str = "") -> Exercise:
    """Return an exercise that is written here."""
    path.mkdir(exist_ok=True)
    texts = {"forward.py": forward, "given.py": given, "statement.md": "# Text\n"}
    texts["exercise.toml"] = f'title = "T"\nrevision = 1\n{settings}'
    for name, text in texts.items():
        (path / name).write_text(text, encoding="utf-8")
    return load(path, "tests")


def test_slopes_of_right_gradients_agree() -> None:
    assert slopes(subject("sound")).is_sound


@pytest.mark.parametrize("name", ["a", "h", "W", "b"])
def test_a_gradient_that_is_a_hundredth_off_is_no_slope(name: str) -> None:
    found = slopes(Doctored(exercise("sound"), SMALL, wrong=name))
    assert [(each.fault, each.at) for each in found.faults] == [(Fault.GRADIENT_DIFFERS, name)]


def test_no_slope_goes_through_a_wall(tmp_path: Path) -> None:
    straight_through = folder(
        tmp_path / "walls",
        "q = x + (x.round() - x).detach()\nout = q @ W\nloss = (out * g).sum()\n",
        "x = param(5, 4)\nW = param(4, 2)\ng = data(5, 2)\n",
    )
    given = straight_through.given(Subject(straight_through).reference(0).state)
    precise = PrecisePass(straight_through.forward, given, straight_through.data)
    assert slopes(Subject(straight_through, SMALL)).is_sound
    moved = precise.play({"x": torch.full((5, 4), 1e-3, dtype=torch.float64)})
    assert float(moved) != precise.loss  # the wall keeps its value, and x itself goes on


def test_a_declared_part_is_left_out_and_the_rest_is_not() -> None:
    third = exercise("a_vanishing_third_not_declared")
    assert parts(Subject(replace(third, vanishing=frozenset({"bqkv[4:8]"})), SMALL)).is_sound
    assert not parts(Subject(replace(third, vanishing=frozenset({"bqkv[4:6]"})), SMALL)).is_sound
    assert not parts(Subject(replace(third, vanishing=frozenset({"bqkv"})), SMALL)).is_sound


def test_a_row_that_some_seed_gives_a_gradient_is_no_dead_one(tmp_path: Path) -> None:
    rare = folder(
        tmp_path / "rare",
        "e = E[tokens]\na = e.tanh()\nloss = (a * g).sum()\n",
        "E = param(12, 3)\ntokens = labels(12, 6)\ng = data(6, 3)\n",
    )
    assert parts(Subject(rare, SMALL)).is_sound


@dataclass(frozen=True)
class Keyed(Subject):
    """A subject with a key of these lines: name → code."""

    code: tuple[tuple[str, str], ...] = ()

    @property
    def lines(self) -> Sequence[Line]:
        return [line(name, code) for name, code in self.code]


def faults_of_key(**code: str) -> list[tuple[Fault, str, str]]:
    found = right_key(Keyed(exercise("sound"), SMALL, code=tuple(code.items())))
    return [(each.fault, each.at, each.message) for each in found.faults]


def test_a_key_with_a_wrong_line_is_wrong_there_and_below() -> None:
    found = faults_of_key(a="da = g", h="dh = da", W="dW = x.T @ dh", b="db = dh.sum(0)")
    assert [each[:2] for each in found] == [(Fault.KEY_WRONG, name) for name in ("h", "W", "b")]


def test_a_key_that_lacks_a_line_or_stops_is_none() -> None:
    assert [each[:2] for each in faults_of_key(a="da = g")] == [(Fault.NO_KEY, "h")]
    assert "name 'nothing' is not defined" in faults_of_key(a="da = nothing")[0][2]


def test_all_answers_of_a_derived_key_are_exact() -> None:
    assert right_key(subject("sound")).figures == {"exact": 16, "rows": 16}


@pytest.mark.parametrize(
    ("text", "gives_away"),
    [
        ("Look at `h = x @ W + b` and at the shape of `dW`.", False),
        ("`da` has the shape `a.shape`.", False),
        ("The rule is `(u * v).sum(0)`.", False),
        ("Turn `x` around: `x.T @ dh`.", True),
        ("    dW = x.T @ dh", True),
        ("```python\ndb = dh.sum(dim=0)\n```", True),
        ("`da - da * a * a`", True),
        ("`import os`", False),
    ],
)
def test_a_text_is_read_for_answers(text: str, gives_away: bool) -> None:
    found = hints(Subject(replace(exercise("sound"), statement=text), SMALL))
    assert (not found.is_sound) == gives_away


def test_code_in_a_text_is_not_run(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    text = f"`open({str(touched)!r}, 'w').write('x')`"
    assert hints(Subject(replace(exercise("sound"), statement=text), SMALL)).is_sound
    assert not touched.exists()


def outcome(named: bool, located: bool = True, asked: bool = True, seconds: float = 0.001) -> Outcome:
    """Return what the grader may say of a mistake."""
    mistake = Mistake("h", "drop a factor", frozenset({Code.MISSING_LOCAL}), 0, "dh = da * a", "dh = da", asked)
    code = Code.MISSING_LOCAL if named else Code.UNKNOWN
    return Outcome(mistake, {"h": (code,)} if located else {}, ("Text.",), True, seconds)


def test_what_the_grader_says_of_a_mistake_is_read_for_lines_of_the_key() -> None:
    keyed = Keyed(exercise("sound"), SMALL, code=(("h", "dh = da * (1.0 - a**2)"),))
    telling = replace(outcome(True), messages=("Write `dh = da * (1.0 - a**2)`.",))

    assert hints(keyed, [outcome(True)]).is_sound
    assert [(each.fault, each.at) for each in hints(keyed, [telling]).faults] == [(Fault.GIVES_AWAY, "h")]


def faults_of(*graded: Outcome) -> list[tuple[Fault, str]]:
    return [(each.fault, each.message) for each in found_in(subject("sound"), graded).faults]


def test_a_mistake_that_is_not_found_is_a_fault() -> None:
    ((fault, message),) = faults_of(outcome(True), outcome(False, located=False))
    assert fault is Fault.NOT_CAUGHT
    assert "h: drop a factor: dh = da" in message


def test_too_few_names_are_a_fault() -> None:
    assert faults_of(*[outcome(True)] * 7, *[outcome(False)] * 3) == []
    ((fault, message),) = faults_of(*[outcome(True)] * 6, *[outcome(False)] * 4)
    assert fault is Fault.NOT_NAMED
    assert message.startswith("6 of 10 mistakes are named, the first without is h: drop a factor")


def test_a_line_between_needs_no_name_and_one_may_lack_it_anyway() -> None:
    assert faults_of(*[outcome(False, asked=False)] * 9, outcome(False)) == []


def test_an_explanation_that_takes_long_is_a_fault() -> None:
    assert [fault for fault, _ in faults_of(outcome(True, seconds=1.5))] == [Fault.DIAGNOSIS_TOO_SLOW]


def test_a_key_without_mistakes_is_a_fault() -> None:
    assert [fault for fault, _ in faults_of()] == [Fault.NO_MISTAKES]


def test_faults_that_differ_in_their_place_alone_share_a_sentence() -> None:
    dead = [FaultAt(Fault.DEAD, f"h{place}", {"seed": 1}) for place in range(10)]
    finding = Finding("parts", (*dead, FaultAt(Fault.DEAD, "a", {"seed": 2}), FaultAt(Fault.NO_SUCH_PART, "b[9]")))

    assert finding.messages == [
        "The gradient of h0, h1, h2, h3, h4, h5, h6 and 3 others is zero on seed 1, so zeros pass. "
        "Draw more, or values that get through.",
        "The gradient of a is zero on seed 2, so zeros pass. Draw more, or values that get through.",
        "b[9] is declared as vanishing, and there is no such part. Write a checkpoint, or name[2:4].",
    ]
