"""Which statements are chosen: for each rule a notebook that is wrong without it."""

from __future__ import annotations

import pytest

from dojo.errors import BadFile
from tests.client.notebook_slice.small_notebooks import CROSS_ENTROPY, read, taken

# Every cell of these belongs to the answer.
WHOLE = {
    "torch, F and cmp are there": ("dh = F.relu(torch.ones(3))", "cmp('h', dh)"),
    "a builtin is there": ("dh = h * len([1])",),
    "whether it is run as a program": ("if __name__ == '__main__':\n    dh = h",),
    "a name from a star": ("from math import *", "dh = h * pi"),
    "a function backward of the state": ("def backward(state):\n    return {'h': state['h']}",),
    "a lambda that is called at once": ("scale = 2", "dh = (lambda x: x * scale)(h)"),
    "a helper that may read what nothing makes": (
        "def f(x, deep=False):\n    return mystery(x) if deep else x",
        "dh = f(h)",
    ),
    "a helper of a helper": ("def a(x):\n    return x", "def b(x):\n    return a(x)", "dh = b(h)"),
    "a class's helper": (
        "def a(x):\n    return x",
        "class B:\n    def see(self, x):\n        return a(x)",
        "dh = B().see(h)",
    ),
    "what changed a helper's value": ("scale = [1]", "scale.append(2)", "dh = h * scale[1]"),
    "a name of a builtin, made anew": ("sum = lambda x: x * 2", "dh = sum(h)"),
    "every change since the last value": ("dh = h * 1", "dh += 1", "dh *= 2"),
}

# Cells, and what is taken of them.
PARTS = {
    "a function backward of something else": (("dh = h", "def backward(x):\n    return x"), "dh = h"),
    "a function of the state with another name": (("dh = h", "def forward(state):\n    return state"), "dh = h"),
    "only the last value": (("dh = h * 3", "dh = h"), "dh = h"),
    "the last value that can be taken": (("dh = h", "dh = h * open('x')"), "dh = h"),
    "the last comparison that can be taken": (
        ("grad = h * 1", "cmp('h', grad)", "cmp('h', open('x'))"),
        "grad = h * 1\ncmp('h', grad)",
    ),
    "only the last comparison": (
        ("grad = h * 1", "cmp('h', grad)", "grad2 = h", "cmp('h', grad2)"),
        "grad2 = h\ncmp('h', grad2)",
    ),
    "what is handed out": (("h = 3", "dh = h * 2"), "dh = h * 2"),
    "what torch's name is bound to": (("import torch", "dh = torch.ones(3)"), "dh = torch.ones(3)"),
    "a later helper": (
        ("dh = twice(h)", "def twice(x):\n    return x * 2"),
        "def twice(x):\n    return x * 2\ndh = twice(h)",
    ),
    "the first of two later helpers": (
        ("dh = h * scale", "scale = 2", "scale = 3"),
        "scale = 2\ndh = h * scale",
    ),
    "a later change of an unknown name is no value": (
        ("dh = h", "dW2 = h * scale", "scale[0] = 2"),
        "dh = h",
    ),
    "a later change of a value made later still": (
        ("dh = h * scale[0]", "scale.append(2)", "scale = [1]"),
        "scale = [1]\ndh = h * scale[0]",
    ),
    "values that need each other": (("x = dh", "dh = h * x"), "dh = h * x\nx = dh"),
    "a value that was replaced": (("scale = 2", "scale = 3", "dh = h * scale"), "scale = 3\ndh = h * scale"),
    "what a class would read if it were used": (
        ("class B:\n    def see(self, x):\n        return a(x)", "def a(x):\n    return x", "dh = B().see(h)"),
        "class B:\n    def see(self, x):\n        return a(x)\ndef a(x):\n    return x\ndh = B().see(h)",
    ),
    "a star is not needed where the name is made": (
        ("from math import *", "pi = 3", "dh = h * pi"),
        "pi = 3\ndh = h * pi",
    ),
    "of two stars the first": (
        ("from math import *", "from cmath import *", "dh = h * pi"),
        "from math import *\ndh = h * pi",
    ),
    "a change that trains": (
        ("scale = [1]", "for i in range(9):\n    scale[0] = loss.backward()", "dh = h * scale[0]"),
        "scale = [1]\ndh = h * scale[0]",
    ),
    "a placeholder is no value to read": (("dh = h", "dh = None", "dW2 = dh"), "dh = h\ndW2 = dh"),
    "a builtin's name made later": (("dh = h * max(1, 2)", "max = 3"), "dh = h * max(1, 2)"),
    "what a function would read if it were called": (
        ("def twice(x):\n    return x * scale", "scale = 2", "dh = twice(h)"),
        "def twice(x):\n    return x * scale\nscale = 2\ndh = twice(h)",
    ),
    "a cell that is broken and answered elsewhere": (
        ("dh = h", "dh = h * 2\nfor i in"),
        "dh = h",
    ),
    "a broken cell alone": (("dh = h * 2\nfor i in",), "dh = h * 2"),
}


@pytest.mark.parametrize("rule", WHOLE)
def test_needed_statements_are_chosen(rule: str) -> None:
    cells = WHOLE[rule]
    assert taken(*cells) == "\n".join(cells)


@pytest.mark.parametrize("rule", PARTS)
def test_unneeded_statements_are_not_chosen(rule: str) -> None:
    cells, expected = PARTS[rule]
    assert taken(*cells) == expected


STEPS = ("dprobs = probs * 1", "dlogits = dprobs * 2")
IN_ONE_GO = "dlogits = F.softmax(logits, 1)"


def test_a_step_rebuilt_from_nothing_is_another_exercise() -> None:
    assert taken(*STEPS, IN_ONE_GO) == "\n".join(STEPS)


def test_later_changes_belong_to_the_other_exercise() -> None:
    steps = (*STEPS, "dlogits += 1")
    assert taken(*steps, IN_ONE_GO, "dlogits /= n") == "\n".join(steps)


def test_a_step_rebuilt_twice_counts() -> None:
    cells = (
        "dprobs = probs * 1",
        "dcounts = dprobs * 1",
        "dlogits = dprobs",
        "dlogits = dcounts",
        "dlogits = dprobs * 3",
    )
    assert taken(*cells) == "\n".join((*cells[:2], cells[4]))


def test_under_a_heading_a_step_made_anew_counts() -> None:
    assert taken("# Exercise 1\n" + STEPS[0], STEPS[1], IN_ONE_GO) == f"# Exercise 1\n{STEPS[0]}\n{IN_ONE_GO}"


def test_a_step_rebuilt_from_its_sources_counts() -> None:
    assert taken(*STEPS, "dlogits = dprobs * 3") == f"{STEPS[0]}\ndlogits = dprobs * 3"
    assert taken(*STEPS, "half = dprobs / 2", "dlogits = half * 3").endswith("half = dprobs / 2\ndlogits = half * 3")


def test_a_first_step_made_anew_counts() -> None:
    assert taken("dlogprobs = logprobs * 1", "dlogprobs = logprobs * 2") == "dlogprobs = logprobs * 2"


def test_a_step_first_built_from_nothing_counts() -> None:
    assert taken(IN_ONE_GO, *STEPS) == "\n".join(STEPS)


def test_answers_under_another_heading_count_alone() -> None:
    assert taken("# Exercise 1\ndlogits = logits * 2", slug=CROSS_ENTROPY).endswith("dlogits = logits * 2")


def test_answers_under_no_heading_go_first() -> None:
    assert taken("dlogits = logits", "# Exercise 1\ndlogits = logits * 2", slug=CROSS_ENTROPY) == "dlogits = logits"


def test_run_time_comparisons_count_in_their_section() -> None:
    loops = tuple(f"# Exercise {n}\nfor s in [{n}]:\n    cmp(s, eval('dlogits'))" for n in (1, 2))
    source = taken("dlogits = logits", *loops, slug=CROSS_ENTROPY)
    assert "[2]" in source
    assert "[1]" not in source


def remarks(*cells: str) -> tuple[str, ...]:
    return read("dW2 = W2", *cells).remarks


def test_an_unavailable_need_is_named() -> None:
    assert remarks("dh = b * a") == ("Cell 2, line 1 is left out: a, b has no value before it.",)
    assert remarks("x = open('f')", "y = input()", "dh = y * x")[-1] == (
        "Cell 4, line 1 is left out: it needs what cell 2, 3 makes, and that cannot be taken."
    )


def test_a_comparison_of_a_missing_step_has_no_remark() -> None:
    assert remarks("cmp('h', dh, h)") == ()
    assert remarks("dh = None", "cmp('h', dh, h)") == ()


def test_a_comparison_of_something_unknown_is_named() -> None:
    assert remarks("cmp('h', mystery, h)") == ("Cell 2, line 1 is left out: mystery has no value before it.",)


def test_a_comparison_of_an_unavailable_value_is_named() -> None:
    told = remarks("x = open('f')", "cmp('h', x, h)")
    assert told[-1] == "Cell 3, line 1 is left out: it needs what cell 2 makes, and that cannot be taken."


def test_a_value_made_of_a_missing_step_is_named() -> None:
    assert remarks("db2 = dh * 2") == ("Cell 2, line 1 is left out: dh has no value before it.",)


def test_functions_that_call_each_other_are_taken() -> None:
    cells = ("def a(x):\n    return b(x)", "def b(x):\n    return x if x is h else a(x)", "dh = a(h)")
    assert taken(*cells) == "\n".join(cells)


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("dlogit_max", ("There is no dlogit_maxes, but a dlogit_max. If that is meant, name it dlogit_maxes.",)),
        ("dlgts", ()),
        ("logit_maxes_grad", ()),
    ],
)
def test_a_nearly_right_name_is_pointed_at(name: str, remark: tuple[str, ...]) -> None:
    assert remarks(f"{name} = 3") == remark


def test_a_present_answer_has_no_near_name() -> None:
    assert remarks("dlogit_maxes = logit_maxes", "dlogit_max = 3") == ()


def test_another_answer_is_no_slip() -> None:
    assert remarks("dbndiff = bndiff") == ()  # beside dbndiff2, which is not there


def test_a_name_without_a_d_is_no_slip() -> None:
    with pytest.raises(BadFile) as caught:
        read("logit_maxes_d = 3\nxlogit_maxes = 3")
    assert "name it" not in caught.value.message
