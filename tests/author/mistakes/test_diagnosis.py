"""What mistakes of an exercise that ends in a given gradient are called."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from author.mistakes.grading import Outcome, outcomes
from author.mistakes.key import KeyRun
from author.mistakes.making import Mistake
from exercises.folder import load
from exercises.instance import Instance
from exercises.tape import variables
from grader.diagnosis.codes import Code
from grader.reference.gradients import reference
from tests.author.subjects import line

FORWARD = "h = x @ W + b\na = h.sigmoid()\nloss = (a * da).sum()\n"
GIVEN = "x = data(5, 4)\nW = param(4, 3)\nb = param(3)\nda = data(5, 3)\n"
KEY = {"h": "dh = a * (1 - a) * da", "W": "dW = x.T @ dh", "b": "db = dh.sum(0)"}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    return _instance(tmp_path_factory.mktemp("gate"))


@cache
def _instance(folder: Path) -> Instance:
    texts = {"forward.py": FORWARD, "given.py": GIVEN, "statement.md": "# Text\n"}
    texts["exercise.toml"] = 'title = "A gate"\nrevision = 1\ncheckpoints = ["h", "W", "b"]\n'
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return Instance.canonical(replace(load(folder, "tests"), slug="tests/gate"))


def outcome(instance: Instance, name: str, written: str) -> Outcome:
    run = KeyRun([line(each, code) for each, code in KEY.items()], variables(dict(reference(instance).state)))
    mistake = Mistake(name, "", frozenset(Code), list(KEY).index(name), KEY[name], written)
    (found,) = outcomes(instance, run, [mistake])
    return found


@pytest.mark.parametrize(
    ("name", "written", "code", "says"),
    [
        # The upstream gradient is a tensor of the forward state, and it is no forward value for all that.
        ("h", "dh = da", "missing_local", "da"),
        # Fifteen elements: too few to see that the factor is some function, enough for one that is known.
        ("h", "dh = a * da", "missing_local", "a"),
        ("h", "dh = (1 - a) * da", "missing_local", "a**-1"),
        ("h", "dh = (1 - a**2) * da", "missing_local", "depends on a"),
        ("h", "dh = a * (1 + a) * da", "missing_local", "depends on a"),
        # One line too few: a gradient that is given stands where dh belongs.
        ("b", "db = da.sum(0)", "swapped", "da"),
        ("W", "dW = x.T @ da", "swapped", "da"),
    ],
)
def test_a_mistake_beside_a_given_gradient_has_its_name(
    instance: Instance, name: str, written: str, code: str, says: str
) -> None:
    found = outcome(instance, name, written)
    assert found.own == {name: (code,)}
    assert says in found.messages[0]
