"""The table of messages: complete, without an unused row, and in the words that students read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import grader.diagnosis
from exercises.instance import Instance
from exercises.registry import exercises, find
from grader.compare import Origin
from grader.diagnosis.codes import Code, Finding, NamedPart
from grader.diagnosis.messages import BESIDES, MESSAGES, TWO_THINGS, diagnosis_of, mistake_phrase
from tests.grader.rows import FULL, INSTANCE
from tests.mistakes.catalogue import HERE, load, source
from tests.mistakes.play import play

ROOM = Path(grader.diagnosis.__path__[0])
LOGIC = [path for path in ROOM.rglob("*.py") if path.name not in ("messages.py", "wording.py")]


def yielded() -> Iterator[tuple[str, ast.Call]]:
    """Yield each ``Finding(…)`` in the code, with its file."""
    for path in LOGIC:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                yield path.name, node


def message(*change: str) -> str:
    """What is said of the first mistake of exercise 1's solution with some of its text replaced."""
    old, new = change
    assert FULL.solution.count(old) == 1
    rows = play(INSTANCE, FULL.solution.replace(old, new))
    return next(row for row in rows if row.origin is Origin.OWN).diagnosis[0].message


def test_every_code_has_a_phrase_and_messages() -> None:
    assert set(MESSAGES) == set(Code)
    assert all(kind.phrase and kind.forms for kind in MESSAGES.values())


def test_every_form_is_yielded_somewhere() -> None:
    """A form may be chosen by an expression, so any string of the code counts."""
    words = {
        node.value
        for path in LOGIC
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    unused = {(code, form) for code, kind in MESSAGES.items() for form in kind.forms if form not in words}

    assert unused == set()


WORDS_MAX = 25
# Real values, the long ones: what a finding may name.
VALUES: dict[str, Any] = {
    "axis": 1,
    "axis_from_end": 1,
    "about": ["The variance part is what an entry does to its whole column through the variance."],
    "bad": 831,
    "cancels": ("counts_sum_inv", 1),
    "constant": -1,
    "count": 3,
    "factor": "1/(n*vocab_size) (1/864)",
    "figures": ("elements", {"right": 1984, "count": 2048, "where": (0, range(9)), "ratio": 0.375}),
    "have": ["dcounts_sum", "dcounts", "dnorm_logits"],
    "held": ["counts_sum", "counts"],
    "kept": 31,
    "largest": 1.5e-7,
    "last": "counts_sum_inv",
    "large": "small",
    "left": 0.00012,
    "length": 32,
    "missing": 837,
    "narrow": [32, 1],
    "number": "-0.03125",
    "of": "norm_logits",
    "of_term": "counts_sum_inv",
    "operand": "counts_sum_inv",
    "order": ["2", "1", "0"],
    "other": "counts_sum_inv",
    "other_axis": 0,
    "others": ["counts_sum", "probs"],
    "part": NamedPart("norm_logits", "counts_sum_inv", "probs"),
    "parts": ["the mean part", "the variance part"],
    "place": 2,
    "power": -1.5,
    "product": "(dcounts_sum_inv * counts_sum_inv)",
    "read": "norm_logits",
    "right": [32, 27],
    "route": ["bndiff2", "bnvar", "bnvar_inv", "bnraw"],
    "says": ["bndiff stands in front of its sum where bnraw belongs"],
    "shape": [32, 1, 27],
    "source": "hpreact",
    "summed": True,
    "through": "counts_sum_inv",
    "turned": ["The variance part is added, and it belongs subtracted: a larger variance shrinks every entry."],
    "value": 0.03125,
    "uses": ["logit_maxes", "norm_logits", "counts"],
    "want": ["dcounts", "dcounts_sum", "dnorm_logits"],
    "where": (1, range(9)),
    "whole": "norm_logits",
    "wide": [32, 27],
    "wrong": 837,
}
LISTS: dict[tuple[str, str], dict[str, Any]] = {
    ("MISSING_TERM", "slices"): {"missing": range(9)},
    ("MISSING_TERM", "next_to_nothing"): {"through": ["probs"]},
}


def sentences(text: str) -> list[str]:
    """Return the sentences of a text. A name after a full stop starts one, too."""
    return re.split(r"(?<=[.?!]) +(?=[A-Z“]|d[a-z]|[a-z_]+ is )", text)


@pytest.mark.parametrize(("code", "form"), [(code, form) for code in MESSAGES for form in MESSAGES[code].forms])
@pytest.mark.parametrize("variables", [None, ()], ids=["with d… names", "without"])
def test_no_sentence_is_long(code: Code, form: str, variables: tuple[str, ...] | None) -> None:
    values = VALUES | LISTS.get((code.name, form), {})
    lines = {"counts_sum_inv": "counts_sum_inv = counts_sum**-1"}

    diagnosis = diagnosis_of(Finding(code, form, "counts_sum_inv", **values), "norm_logits", lines, variables)

    long = [each for hint in diagnosis.hints for each in sentences(hint) if len(each.split()) > WORDS_MAX]
    assert long == []
    assert all(hint.endswith((".", "?")) and hint[0] != " " and ".." not in hint for hint in diagnosis.hints)


@pytest.mark.parametrize("form", BESIDES)
def test_no_sentence_beside_another_is_long(form: str) -> None:
    finding = Finding(Code.TERM_SIGN, "path", "probs", None, [(form, {"step": "counts_sum_inv", **VALUES})], read="h")

    kind = diagnosis_of(finding, "counts", {}).hints[0]

    assert kind.startswith(TWO_THINGS)
    assert "rest is right" not in kind
    assert [each for each in sentences(kind) if len(each.split()) > WORDS_MAX] == []


@pytest.mark.parametrize("slug", exercises())
def test_no_real_sentence_is_long(slug: str) -> None:
    """Every fourth mistake of each set, as students read it."""
    long = []
    for folder in ("", "held_out", "held_out_3", "held_out_4", "various"):
        for mistake in [each for each in load(HERE / folder) if each.exercise == slug][::4]:
            for row in play(Instance.canonical(find(slug)), source(slug, [mistake])):
                for text in (hint for each in row.diagnosis for hint in (*each.hints, each.counterexample or "")):
                    long += [each for each in sentences(text) if len(each.split()) > WORDS_MAX]
    assert long == []


def test_what_is_half_too_large_and_half_too_small_has_no_typical_ratio() -> None:
    figures = ("elements", {"right": 1, "count": 9, "where": None, "ratio": 1.001})
    finding = Finding(Code.UNKNOWN, "one_use", at="h", figures=figures, uses=["h"])

    assert "typically" not in diagnosis_of(finding, "h", {}).hints[0]


def test_a_step_without_a_variable_is_not_named_with_a_d() -> None:
    finding = Finding(Code.MISSING_UPSTREAM, "derivative_alone", at="counts", read="norm_logits")

    with_variable = diagnosis_of(finding, "logits", {}, {"counts", "logits"}).hints[0]
    without = diagnosis_of(finding, "logits", {}, {"logits"}).hints[0]

    assert with_variable.endswith("; dcounts does not show in it.")
    assert without.endswith("; the gradient at counts does not show in it.")


@pytest.mark.parametrize(
    ("narrow", "wide", "used"),
    [
        ([1, 64], [32, 64], "is used in 32 rows: 32 contributions a column"),
        ([27], [32, 27], "is used in 32 rows: 32 contributions a column"),
        ([32, 1], [32, 27], "is used in 27 columns: 27 contributions a row"),
        ([], [32, 27], "is used in 864 places: 864 contributions for each of its elements"),
        ([1, 3, 1], [32, 3, 10], "is used in 320 places: 320 contributions for each of its elements"),
    ],
)
def test_shapes_say_how_often_a_tensor_is_used(narrow: list[int], wide: list[int], used: str) -> None:
    finding = Finding(Code.NOT_REDUCED, "stretched", at="probs", read="b", narrow=narrow, wide=wide)

    assert diagnosis_of(finding, "b", {}).hints[0].startswith(f"b is {narrow} and {used}. Your gradient")


def test_every_finding_with_a_literal_form_has_a_message() -> None:
    literal = [
        (file, Code[call.args[0].attr], call.args[1].value)
        for file, call in yielded()
        if isinstance(call.args[0], ast.Attribute) and isinstance(call.args[1], ast.Constant)
    ]

    assert len(literal) > 30
    for file, code, form in literal:
        assert form in MESSAGES[code].forms, (file, code, form)


def test_no_sentence_stands_in_the_logic_of_hypotheses() -> None:
    sentences = [
        (path.name, node.value)
        for path in (ROOM / "hypotheses").glob("*.py")
        for tree in [ast.parse(path.read_text())]
        for docstrings in [_docstrings(tree)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings
        if len(node.value.split()) > 3
    ]

    assert sentences == []


def _docstrings(tree: ast.Module) -> list[ast.Constant]:
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))]
    firsts = [body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)]
    return [first for first in firsts if isinstance(first, ast.Constant)]


def test_a_diagnosis_has_a_kind_a_line_and_advice() -> None:
    finding = Finding(Code.TERM_SIGN, "path", at="probs", read="counts")

    diagnosis = diagnosis_of(finding, "counts", {"probs": "probs = counts * counts_sum_inv"})

    assert diagnosis.code == "term_sign"
    assert diagnosis.hints == (
        "The term that comes to counts through probs has the wrong sign; the rest is right.",
        "Look at the line probs = counts * counts_sum_inv.",
        "Does probs grow or shrink when counts grows?",
    )


@pytest.mark.parametrize(
    ("at", "line"),
    [
        ("probs", "Look at the line probs = …."),
        (["probs"], "Look at the line probs = …."),
        (["probs", "loss"], "Look at the lines of probs and loss."),
        (["probs", "h", "loss"], "Look at the lines of probs, h and loss."),
        ((), "Look at all lines from counts on; the factor belongs to every path through them."),
    ],
)
def test_the_line_follows_the_steps(at: str | list[str], line: str) -> None:
    assert diagnosis_of(Finding(Code.SIGN, "numbers", at), "counts", {"probs": "probs = …"}).hints[1] == line


def test_a_later_mistake_has_one_hint_only() -> None:
    assert len(diagnosis_of(Finding(Code.UNKNOWN, "later"), "counts", {}).hints) == 1


@pytest.mark.parametrize(
    ("missing", "slices"),
    [([3], "slice 3"), ([0, 1, 2], "slices 0, 1 and 2"), (range(9), "slices 0 to 8")],
)
def test_slices_are_listed_where_they_are_few(missing: list[int], slices: str) -> None:
    finding = Finding(Code.MISSING_TERM, "slices", at="logits", axis=0, missing=missing)

    assert diagnosis_of(finding, "W2", {}).hints[0] == (
        f"What comes from {slices} of dlogits, along axis 0, is not in your gradient."
    )


@pytest.mark.parametrize(("count", "shown"), [(6, "0, 1, 2, 3, 4, 5"), (7, "0, 1, 2, 3, 4, 5, …")])
def test_six_wrong_indices_are_shown(count: int, shown: str) -> None:
    finding = Finding(Code.UNKNOWN, "not_finite", at="loss", bad=9, count=99, where=(1, list(range(count))))

    assert diagnosis_of(finding, "h", {}).hints[0].endswith(f"are not. The wrong ones sit at {shown} of axis 1.")


def test_a_finding_that_lacks_a_value_is_refused() -> None:
    with pytest.raises(KeyError, match="factor"):
        diagnosis_of(Finding(Code.SCALE, "whole"), "counts", {})


def test_the_class_has_a_phrase_for_each_kind() -> None:
    assert mistake_phrase("swapped") == "took another step's gradient at"
    assert mistake_phrase("of_another_version") == "made the mistake of_another_version at"


def test_the_message_names_the_uses_and_the_line() -> None:
    said = message("counts_sum_inv + dcounts_sum ", "counts_sum_inv ")
    assert "counts is used twice, in counts_sum and probs; your gradient holds only the path through probs." in said
    assert "counts_sum = counts.sum(1, keepdim=True)" in said


def test_what_a_loop_left_out_is_numbered() -> None:
    loop = "dW2 = torch.zeros_like(W2)\nfor i in range({}):\n    dW2 {} torch.outer(h[i], dlogits[i])"
    assert "What comes from slice 31 of dlogits" in message("dW2 = h.T @ dlogits", loop.format("n - 1", "+="))
    assert "What comes from slices 0, 1 and 2 of" in message("dW2 = h.T @ dlogits", loop.format("3, n", "+="))
    assert "only slice 31 is in" in message("dW2 = h.T @ dlogits", loop.format("n", "="))


def test_what_is_not_recognised_comes_with_the_numbers_that_help() -> None:
    said = message("dh = dlogits @ W2.T", "dh = dlogits @ W2.T\ndh[3] = torch.arange(n_hidden)")
    assert "kind was not recognised" in said
    assert "1984 of 2048 elements are right. The wrong ones sit at 3 of axis 0" in said


@pytest.mark.parametrize(
    ("change", "factor"),
    [
        (("-1.0 / n", "-1.0"), "n (32) times"),
        (("1 / (n - 1) *", "1 / n *"), "(n-1)/n (31/32) times"),
        (("1 / (n - 1) *", "1 *"), "n-1 (31) times"),
        (("dlogits.sum(0)", "dlogits.mean(0)"), "1/n (1/32) times"),
        (("2 * bndiff * dbndiff2", "bndiff * dbndiff2"), "a factor of 1/2"),
    ],
)
def test_factors_have_names(change: tuple[str, str], factor: str) -> None:
    assert factor in message(*change)


@pytest.mark.parametrize(
    ("factor", "name"),
    [
        ("(n / (n - 1)) ** 0.5", "sqrt(n/(n-1)) (sqrt(32/31))"),
        ("((n - 1) / n) ** 2", "((n-1)/n)**2 ((31/32)**2)"),
        ("loss", "the loss ("),
        ("n ** -0.5", "1/sqrt(n) (1/sqrt(32))"),
    ],
)
def test_factors_of_a_deviation_and_of_the_loss_have_names(factor: str, name: str) -> None:
    assert f"your gradient is {name}" in message("h.T @ dlogits", f"h.T @ dlogits * ({factor})")
