"""Backward lines become MathML that is well formed and says what the code says."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from author.derive.key import key_of
from author.derive.mathml import formula, statements
from exercises.registry import find

INVISIBLE = re.compile("[\u2061\u2062]")


def text_of(code: str, *names: str) -> str:
    """Return what a formula shows, as one line of text."""
    root = ElementTree.fromstring(f"<div>{formula(code, names)}</div>")
    return INVISIBLE.sub("", " ".join("".join(math.itertext()) for math in root))


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("dprobs = dlogprobs / probs", "∂L∂probs=∂L∂logprobsprobs"),
        ("dh = (1.0 - y**2) * dy", "∂L∂h=(1−y2)⊙∂L∂y"),
        ("dW = x.T @ dy", "∂L∂W=x⊤∂L∂y"),
        ("db = (dy * x).sum(0, keepdim=True)", "∂L∂b=∑dim 0∂L∂y⊙x"),
        ("db = -dy.sum((0, 1))", "∂L∂b=−∑dim 0, 1∂L∂y"),
        ("db = 1 / (n - 1) * dy", "∂L∂b=1n−1·∂L∂y"),
        ("dx = dy.unsqueeze(1).expand_as(x)", "∂L∂x=∂L∂y"),
        ("dx = dy * (x > 0)", "∂L∂x=∂L∂y⊙[x>0]"),
        ("dx = torch.zeros_like(x)\ndx[:, 1:] += dy", "∂L∂x=0 (∂L∂x):,1:+=∂L∂y"),
        ("dx = dy * (x - y).exp() + 1e-5 * b.abs().sqrt()", "∂L∂x=∂L∂y⊙ex−y+10-5·|b|"),
        ("dx = F.softmax(x, 1) - F.one_hot(t, 4)", "∂L∂x=softmax(x)−1t"),
        ("dlogits = dlogits * 2", "∂L∂logits=∂L∂logits·2"),
        ("dx = (a + b) @ W", "∂L∂x=(a+b)W"),
        ("dx = a.sum(1) * b * dy", "∂L∂x=(∑dim 1a)⊙b⊙∂L∂y"),
        ("dx = dy - b * a.sum(1)", "∂L∂x=∂L∂y−b⊙∑dim 1a"),
    ],
)
def test_a_line_is_shown_as_mathematics(code: str, shown: str) -> None:
    assert text_of(code, "probs", "logprobs", "h", "y", "W", "x", "b", "logits") == shown


def test_a_formula_has_its_code_as_alternative_text() -> None:
    assert 'alttext="da = b &lt; 1"' in formula("da = b < 1", ["a"])


def test_markup_in_code_is_escaped() -> None:
    assert "<b>" not in formula("da = '<b>'", ["a"])


def test_each_line_of_the_lecture_is_well_formed() -> None:
    key = key_of(find("makemore/full-backward"))

    for line in key.lines:
        root = ElementTree.fromstring(f"<div>{formula(line.code, key.shapes)}</div>")
        assert len(root) == len(statements(line.code))
