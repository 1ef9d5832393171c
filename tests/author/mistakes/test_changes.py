"""One thing in a line is changed, and the kinds that name it come with it."""

from __future__ import annotations

import ast

import pytest

from author.mistakes.changes import Scope, of_statement

SCOPE = Scope(
    upstream={"dh": ["da"], "da": ["dh"], "dprobs": []},
    local={"h": ["a"], "a": ["h"], "W": [], "x": [], "probs": []},
    numbers=frozenset({"n"}),
)


def written(line: str) -> dict[str, tuple[str, set[str]]]:
    """Return what is written → what was done, and the kinds."""
    (statement,) = ast.parse(line).body
    return {
        ast.unparse(ast.fix_missing_locations(change.node)): (change.what, set(change.codes))
        for change in of_statement(statement, SCOPE)
    }


@pytest.mark.parametrize(
    ("line", "changed", "what", "code"),
    [
        ("dx = dh * W + da", "dx = da", "drop a term", "missing_term"),
        ("dx = dh * W + da", "dx = dh * W - da", "turn a term's sign", "term_sign"),
        ("dx = dh * W - da", "dx = dh * W - da - da", "count a term twice", "double_counted"),
        ("dx = dh * W", "dx = dh", "drop a factor", "missing_local"),
        ("dx = dh * W", "dx = W", "drop a factor", "missing_upstream"),
        ("dx = dh * W", "dx = dh / W", "divide for multiply", "missing_local"),
        ("dx = dh / n", "dx = dh", "drop a factor", "scale"),
        ("dx = dh / n", "dx = dh / (n - 1)", "a count off by one", "scale"),
        ("dx = dh / n + da", "dx = dh + da", "drop a factor", "term_scale"),
        ("dx = -dh", "dx = --dh", "turn a sign", "sign"),
        ("dx = dh * a", "dx = dh * h", "a wrong forward value", "missing_local"),
        ("dx = dh * W", "dx = da * W", "a gradient of another step", "swapped"),
        ("dx = dh * W", "dx = h * W", "the value for the gradient", "missing_upstream"),
        ("dx = (1 - a ** 2) * da", "dx = (1 + a ** 2) * da", "a sign in the local derivative", "missing_local"),
        ("dx = (1 - a ** 2) * da", "dx = (1 - a) * da", "a wrong power", "missing_local"),
        ("dx = dh.sum(0)", "dx = dh", "drop a sum", "not_reduced"),
        ("dx = dh.sum(0)", "dx = dh.sum(1)", "a wrong axis", "wrong_axis"),
        ("dx = dh.sum(0)", "dx = dh.mean(0)", "a mean for a sum", "scale"),
        ("dx = dh.sum(1, keepdim=True)", "dx = dh.sum(1)", "drop keepdim", "wrong_axis"),
        ("dx = dh.sum(dim=0)", "dx = dh.sum(dim=1)", "a wrong axis", "wrong_axis"),
        ("dx = dh @ W.T", "dx = dh @ W", "drop a transposition", "transposed"),
        ("dx = dh @ W.T", "dx = (dh @ W.T).mT", "transpose", "transposed"),
        ("dx = dh.transpose(1, 2)", "dx = dh", "drop a transposition", "transposed"),
        ("dx[i] += dh", "dx[i] = dh", "assign for accumulate", "overwritten"),
        ("dx = z.index_add(0, i, dh)", "dx = z.index_copy(0, i, dh)", "assign for accumulate", "overwritten"),
        (
            "dx = z.index_put((i,), dh, accumulate=True)",
            "dx = z.index_put((i,), dh, accumulate=False)",
            "assign for accumulate",
            "overwritten",
        ),
    ],
)
def test_a_line_is_changed_in_one_place(line: str, changed: str, what: str, code: str) -> None:
    found = written(line)
    assert changed in found
    assert found[changed][0] == what
    assert code in found[changed][1]


def test_a_loop_is_changed_inside() -> None:
    assert "for k in range(3):\n    dx[k] = dh[k]" in written("for k in range(3):\n    dx[k] += dh[k]")


@pytest.mark.parametrize(
    "line", ["dx = x // n", "dx = dh // n % 2", "dx = dh @ W", "dx = dh[:, ::2]", "dx = torch.where(h > 0, dh, 0.0)"]
)
def test_other_expressions_are_left_alone(line: str) -> None:
    assert all(change for change in written(line))


def test_nobody_mistakes_one_of_two_equal_factors() -> None:
    assert "dx = da * (1 - a) * h" not in written("dx = da * (1 - a) * a")
