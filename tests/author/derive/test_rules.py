"""Each rule gives autograd's gradient: for each way to use an operation, named, reduced at once, and in a long line."""

from __future__ import annotations

from itertools import cycle

import pytest

from author.derive.rules.table import RULES
from exercises.language.operations import OPERATIONS
from tests.author.derive.cases import CASES, LOSSES
from tests.author.derive.samples import check

WITHOUT_RULE = {"linalg_cross", "matrix_exp", "cholesky_solve"}
IN_ONE_LINE = "loss = (({})**2).sum()"


def forms() -> list[tuple[str, str]]:
    """Return lines and shapes: each case with the gradient of each entry its own, and in one of the other forms."""
    others = cycle([*LOSSES[1:], IN_ONE_LINE])
    made = []
    for shapes, line in CASES:
        made.append((f"{line}\n{LOSSES[0]}", shapes))
        other = next(others)
        is_one_line = other == IN_ONE_LINE and "\n" not in line
        made.append((other.format(line.removeprefix("y = ")) if is_one_line else f"{line}\n{LOSSES[1]}", shapes))
    return made


@pytest.mark.parametrize(("lines", "shapes"), forms(), ids=lambda text: text.replace("\n", "; "))
@pytest.mark.filterwarnings("ignore:reduction.*'mean' divides")
def test_a_rule_gives_autograds_gradient(lines: str, shapes: str) -> None:
    wrong = [
        (each.line.code, each.error, each.largest_difference) for each in check(lines, shapes) if not each.is_right
    ]

    assert wrong == []


def test_each_operation_has_a_rule_but_for_some_rare_ones() -> None:
    differentiable = {name for name, operation in OPERATIONS.items() if operation.differentiable}

    assert differentiable - set(RULES) <= WITHOUT_RULE
    assert set(RULES) <= differentiable
    assert {name for name in differentiable if not is_used(name)} - WITHOUT_RULE == set()


def is_used(operation: str) -> bool:
    """Whether a case uses an operation, by any of its spellings."""
    definition = OPERATIONS[operation]
    words = [*definition.spellings, *([f" {definition.symbol} "] if definition.symbol else [])]
    text = " ".join(line for _, line in CASES)
    return operation in ("index", "neg", "pow", "t", "float") or any(
        f"{word}(" in text or word in text for word in words
    )
