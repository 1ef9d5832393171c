"""``cmp`` records which gradient of what, as it was at that moment."""

from __future__ import annotations

import pytest

from grader.answer import CHANGED_AFTER_CMP, LABEL_DIFFERS, OTHER_VARIABLE, SWAPPED
from grader.sandbox import RunStatus
from tests.grader.sandbox.conftest import STATE, Runner, holds


def test_cmp_takes_a_copy_at_that_moment(run: Runner) -> None:
    got = run("dx = x.clone()\ncmp('x', dx, x)\ndw = w.clone()\ncmp('w', dw, w)\ndx += 1")
    assert holds(got, "x", STATE["x"])
    assert got.answers["x"].notes == (CHANGED_AFTER_CMP,)
    assert got.answers["w"].notes == ()


@pytest.mark.parametrize(
    "theirs",
    [
        "def cmp(s, dt, t):\n    print((dt - t.grad).abs().max())",
        "def check(s, dt, t):\n    ex = torch.all(dt == t.grad).item()\n    print(s, ex)\ncmp = check",
        "cmp = lambda s, dt, t: print(torch.allclose(dt, t.grad))",
        "def look(t, dt):\n    return (t.grad - dt).abs()\ndef cmp(s, dt, t): look(t, dt)",
    ],
)
def test_a_cmp_of_their_own_becomes_ours(run: Runner, theirs: str) -> None:
    got = run(f"{theirs}\ncmp('x', x * 2, x)")
    assert got.status is RunStatus.OK, got.message
    assert holds(got, "x", STATE["x"] * 2)


@pytest.mark.parametrize(
    "call",
    [
        "cmp('x', x * 2, x)",
        "cmp('dx', x * 2)",
        "cmp(' x ', x * 2)",
        "cmp(x * 2, x, 'x')",
        "cmp(x * 2, x)",  # the name is that of the tensor
        "cmp(x, x * 2)",
        "cmp('the first', x * 2, x)",
        "cmp(s='x', dt=x * 2, t=x)",
        "cmp(x * 2, t=x)",
        "cmp(1, x * 2, x)",
        "cmp('x', x * 3, x)\ncmp('x', x * 2, x)",
        "cmp('w', w, w)\ncmp('x', x * 2)",
    ],
)
def test_cmp_knows_which_gradient_of_what(run: Runner, call: str) -> None:
    assert holds(run(call), "x", STATE["x"] * 2)


@pytest.mark.parametrize("call", ["cmp()", "cmp('x')", "cmp('nothing')", "cmp('nothing', torch.ones(2), Xb)"])
def test_cmp_of_nothing_is_no_answer(run: Runner, call: str) -> None:
    got = run(call)

    assert got.status is RunStatus.OK and all(answer.tensor is None for answer in got.answers.values())


def test_a_tensor_of_the_state_may_be_the_answer(run: Runner) -> None:
    assert holds(run("cmp('x', x, x)"), "x", STATE["x"])


@pytest.mark.parametrize(
    ("later", "changed"),
    [
        ("dx[0, 0] = 5.0", True),
        ("dx = dx.double()", True),
        ("dx = dx.T", True),
        ("dx = dx.clone()", False),
        ("dx = 'spoiled'", False),
        ("del dx", False),
    ],
)
def test_a_change_after_cmp_is_noted(run: Runner, later: str, changed: bool) -> None:
    got = run(f"dx = x * float('nan')\ncmp('x', dx, x)\n{later}")

    assert got.answers["x"].notes == ((CHANGED_AFTER_CMP,) if changed else ())
    assert got.answers["x"].shape == (4, 3)


@pytest.mark.parametrize(
    ("call", "step", "notes"),
    [
        ("cmp('x', dw, w)", "w", (LABEL_DIFFERS,)),
        ("cmp('x', dw, t=w)", "w", (LABEL_DIFFERS,)),
        ("cmp('the weights', dw, w)", "w", ()),
        ("cmp('w', w, dw)", "w", (SWAPPED,)),
        ("cmp('x', w, dw)", "w", (LABEL_DIFFERS, SWAPPED)),
        ("cmp('w', dw, Xb)", "w", ()),  # a forward tensor that nobody asks for
        ("cmp('w', dw, w)\ncmp('x', dx, w)", "w", ()),  # a copied call spoils none in which label and tensor agree
        ("def see(s, t, dt):\n    print(s, t.grad - dt)\nsee('w', w, dw)", "w", ()),  # an order of their own
    ],
)
def test_the_tensor_decides_which_step_it_is(run: Runner, call: str, step: str, notes: tuple[str, ...]) -> None:
    got = run(f"dx = x * 2\ndw = w * 3\n{call}")

    assert got.status is RunStatus.OK, got.message
    assert holds(got, step, STATE["w"] * 3)
    assert got.answers[step].notes == notes


def test_the_variable_of_another_step_is_noted(run: Runner) -> None:
    got = run("dx = x * 2\ndw = w * 3\ncmp('w', dx, w)")
    assert holds(got, "w", STATE["x"] * 2)
    assert got.answers["w"].notes == (OTHER_VARIABLE,)

    assert run("dx = x * 2\ncmp('w', dx * 1, w)").answers["w"].notes == ()
    assert run("dx = x * 2\ndw = dx\ncmp('w', dx, w)").answers["w"].notes == ()


def test_another_steps_variable_did_not_change(run: Runner) -> None:
    got = run("dx = x * 2\ndw = w * 3\ncmp('w', dx, w)\ncmp('x', dx, x)")

    assert CHANGED_AFTER_CMP not in got.answers["w"].notes
    assert got.answers["x"].notes == ()
