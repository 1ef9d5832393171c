"""What is kept of the changes of a key: mistakes alone, each set of numbers once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from author.mistakes.grading import outcomes
from author.mistakes.key import KeyRun, compiled, read
from author.mistakes.making import Mistake, mistakes
from exercises.exercise import Checkpoint
from exercises.instance import Instance
from exercises.tape import variables
from tests.author.subjects import exercise, line, subject

SUBJECT = subject("sound")
KEY = (
    line("a", "da = g"),
    line("h", "dh = (1.0 - a**2) * da"),
    line("W", "dW = x.T @ dh"),
    line("b", "db = dh.sum(0)"),
)


def run_of(lines: Iterable[object]) -> KeyRun:
    return KeyRun(list(lines), variables(dict(SUBJECT.reference(0).state)))  # type: ignore[arg-type]


def made(lines: Iterable[object], per_line: int | None = None) -> list[Mistake]:
    return mistakes(SUBJECT.instance(0), run_of(lines), per_line)


def test_what_gives_the_same_numbers_is_no_mistake() -> None:
    lines = (*KEY[:3], line("b", "db = dh.sum(0, keepdim=True) + 0 * h.sum(0)"))
    assert "drop keepdim" not in {each.what for each in made(lines) if each.step == "b"}


def test_two_changes_with_the_same_numbers_are_one_mistake_of_either_kind() -> None:
    lines = (*KEY[:3], line("b", "db = 1.0 * dh.sum(0) * 1.0"))
    doubled = [each for each in made(lines) if each.what == "a factor too many" and each.step == "b"]
    assert len(doubled) == 1
    texts = [each.written for each in made(lines)]
    assert len(texts) == len(set(texts))


def test_a_multiple_of_the_right_gradient_may_be_named_a_scale() -> None:
    lines = (KEY[0], line("h", "dh = (1.0 - a**2) * da + (1.0 - a**2) * da"))
    twice = [each for each in made(lines) if each.what == "drop a term"]
    assert twice and all("scale" in each.codes for each in twice)


def test_so_many_of_each_line_are_of_different_sorts() -> None:
    found = made(KEY, per_line=2)
    assert {step: sum(each.step == step for each in found) for step in ("h", "W", "b")} == {"h": 2, "W": 2, "b": 2}
    assert len({each.what for each in found if each.step == "b"}) == 2


def test_a_mistake_in_a_helper_of_two_lines_is_left_out() -> None:
    shared = (KEY[0], line("h", "t = (1.0 - a**2) * da\ndh = t * 1.0"), KEY[2], line("b", "db = t.sum(0)"))
    assert not any("t = " in each.written.splitlines()[0] != "t = (1.0 - a ** 2) * da" for each in made(shared))
    alone = (KEY[0], line("h", "t = (1.0 - a**2) * da\ndh = t * 1.0"), KEY[2], KEY[3])
    assert any("t = a ** 2" in each.written or "t = da" in each.written for each in made(alone))


def test_a_mistake_in_a_line_between_belongs_to_the_checkpoint_below() -> None:
    instance = Instance.canonical(replace(exercise("sound"), checkpoints=(Checkpoint("a"), Checkpoint("W"))))
    found = mistakes(instance, run_of(KEY))
    of_line = {KEY[each.number].name: (each.step, each.is_asked) for each in found}
    # h is read by W's line alone, b by none that is asked for; W reads dh, which nobody is asked for.
    assert of_line == {"a": ("a", True), "h": ("W", False), "W": ("W", False)}


def test_the_grader_finds_each_at_its_step() -> None:
    run = run_of(KEY)
    graded = outcomes(SUBJECT.instance(0), run, made(KEY))
    assert len(graded) > 20
    assert [str(each.mistake) for each in graded if not each.is_located] == []
    assert sum(each.is_named for each in graded) >= 0.97 * len(graded)


def test_a_mistake_does_not_spoil_the_key_for_the_next_one() -> None:
    run = run_of((KEY[0], line("h", "dh = (1.0 - a**2) * da"), KEY[2], KEY[3]))
    before = {name: value.clone() for name, value in run.answers(SUBJECT.asked).items()}

    run.with_code(1, compiled("dh = da\ndh *= 2"))
    assert all((run.answers(SUBJECT.asked)[name] == value).all() for name, value in before.items())


def test_a_mistake_in_an_unrolled_loop_is_made_in_each_turn() -> None:
    turns = "\n".join(f"dW[{row}:{row + 1}] += (x.T @ dh)[{row}:{row + 1}]" for row in range(4))
    lines = (*KEY[:2], line("W", f"dW = torch.zeros_like(W)\n{turns}"), KEY[3])
    signs = [each for each in made(lines) if each.step == "W" and each.what == "turn a sign"]
    assert ["-=" in text for each in signs for text in each.written.splitlines()[1:]] == [True] * 4


def test_a_solution_is_split_into_lines() -> None:
    source = '"""Text."""\nt = x @ W\ndh = zeros(t)\ndh[0] = 1\nfor k in range(2):\n    dW[k] += dh[k]\ndx = t\n'
    lines = read(source, {"h", "W", "x"})
    assert [(each.answer, each.code) for each in lines] == [
        ("dh", "t = x @ W\ndh = zeros(t)\ndh[0] = 1"),
        ("dW", "for k in range(2):\n    dW[k] += dh[k]"),
        ("dx", "dx = t"),
    ]
