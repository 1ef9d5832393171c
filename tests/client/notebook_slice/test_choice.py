"""Which statements are chosen: for each rule a notebook that is wrong without it."""

from __future__ import annotations

import itertools

import pytest

from dojo.errors import BadFile
from dojo.notebook_slice.cells import read_cells
from dojo.notebook_slice.choice import choose
from dojo.notebook_slice.statements import read_parts, read_statements
from tests.client.notebook_slice.small_notebooks import CROSS_ENTROPY, FULL, read, taken, wanted
from tests.client.notebooks import notebook

# Every cell of these belongs to the answer.
WHOLE = {
    "torch, F and cmp are there": ("dh = F.relu(torch.ones(3))", "cmp('h', dh)"),
    "a builtin is there": ("dh = h * len([1])",),
    "whether it is run as a program": ("if __name__ == '__main__':\n    dh = h",),
    "a name from a star": ("from math import *", "dh = h * pi"),
    "a function backward of the state": ("def backward(state):\n    return {'h': state['h']}",),
    "answers with names made at run time": ("def back():\n    return {'dh': h}", "globals().update(back())"),
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
    "only the last function backward of the state": (
        ("def backward(state):\n    return {}", "def backward(state):\n    return {'h': state['h']}"),
        "def backward(state):\n    return {'h': state['h']}",
    ),
    "a function of the state with another name": (("dh = h", "def forward(state):\n    return state"), "dh = h"),
    "only the last value": (("dh = h * 3", "dh = h"), "dh = h"),
    "the last value that can have run": (("dh = h", "dh = h * mystery"), "dh = h"),
    "what changes a value that cannot have run": (("dh = h", "dh = h * mystery", "dh /= n"), "dh = h"),
    "the last comparison that can have run": (
        ("grad = h * 1", "cmp('h', grad)", "cmp('h', mystery)"),
        "grad = h * 1\ncmp('h', grad)",
    ),
    "no value of which a part cannot be taken": (("dW2 = W2", "dh = h * 1", "dh += open('x')"), "dW2 = W2"),
    "no value that was replaced by one that cannot be taken": (
        ("dW2 = W2", "dh = h", "dh = h * open('x')"),
        "dW2 = W2",
    ),
    "no comparison before one that cannot be taken": (
        ("dW2 = W2", "grad = h * 1", "cmp('h', grad)", "cmp('h', open('x'))"),
        "dW2 = W2",
    ),
    "nothing that an unfinished line changes": (("dW2 = W2", "dh = h * 1\ndh += ("), "dW2 = W2"),
    "nothing that an unfinished block fills": (("dW2 = W2", "dh = torch.zeros(3)\nfor i in"), "dW2 = W2"),
    "nothing that an unfinished line makes anew": (("dW2 = W2", "dh = h\ndh ="), "dW2 = W2"),
    "a value before an unfinished line of another cell": (("dh = h", "dh ="), "dh = h"),
    "a comparison under another name made without the steps": (
        ("dprobs = probs", "dlogits = dprobs * 2", "klogits = logits * 1", "cmp('logits', klogits, logits)"),
        "dprobs = probs\ndlogits = dprobs * 2",
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


def test_answers_under_another_heading_do_not_count() -> None:
    for slug, cell in ((CROSS_ENTROPY, "# Exercise 1\ndlogits = logits * 2"), (FULL, "# Exercise 2\ndlogits = logits")):
        with pytest.raises(BadFile, match="is not there yet"):
            read(cell, slug=slug)


@pytest.mark.parametrize("undone", ["", "# Exercise 2\ndlogits = None # TODO", "dlogits = ...", "dlogits ="])
def test_exercise_1_never_answers_exercise_2(undone: str) -> None:
    cells = ("dprobs = probs * 1", "dlogits = dprobs * 2", "dh = dlogits @ logits", undone)
    with pytest.raises(BadFile, match="step by step, as exercise 1 does"):
        read(*cells, slug=CROSS_ENTROPY)
    assert taken(*cells[:3], "dlogits = probs * 1", slug=CROSS_ENTROPY) == "dlogits = probs * 1"


def test_exercise_2_alone_may_go_step_by_step() -> None:
    assert taken("dprobs = probs * 1", "dlogits = dprobs * 2", slug=CROSS_ENTROPY).endswith("dlogits = dprobs * 2")


@pytest.mark.parametrize(
    "placeholder", ["dh = None", "dh = ...", "dh = 'TODO'", "dh = NotImplemented", "dh, dW2 = None, None"]
)
def test_placeholders_decide_nothing(placeholder: str) -> None:
    assert taken("dh = h", placeholder) == taken(placeholder, "dh = h") == "dh = h"
    assert taken("# Exercise 1\ndh = h\ndC =", f"# Exercise 2\n{placeholder}") == "# Exercise 1\ndh = h"


@pytest.mark.parametrize("count", [100, 400])
def test_the_work_grows_with_the_statements_alone(count: int) -> None:
    chain = ["x0 = h * 1", *(f"x{number} = x{number - 1} + 1" for number in range(1, count)), f"dh = x{count - 1}"]
    changes = ["dh = h * 1", "row = dh[0]", *["row += 1"] * count, *["dh += 1"] * count]
    for cells in (chain, changes):
        statements = read_statements(read_parts(read_cells(notebook(*cells)["cells"])))
        choice = choose(statements, wanted(FULL))
        assert choice.answered == {"h"}
        assert choice.work <= 6 * len(cells)


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
    assert remarks("dh = b * a") == ("Cell 2, line 1 is left out: a, b has no value before it. So dh is not graded.",)
    assert remarks("x = open('f')", "dh = x", "dC = dh") == (
        "Cell 2, line 1 is left out: it reads a file or the keyboard. So dh, dC are not graded.",
    )


def test_each_reason_is_said_once_in_the_order_of_the_notebook() -> None:
    answers = "dprobs, dcounts, dlogits, dh, db2, dC, demb".split(", ")
    steps = [f"{new} = {old}" for old, new in itertools.pairwise(answers)]
    assert remarks("dprobs = mystery", *steps, "dW1 = input()") == (
        "Cell 2, line 1 is left out: mystery has no value before it. "
        "So dprobs, dcounts, dlogits, dh, db2, demb and 1 more are not graded.",
        "Cell 9, line 1 is left out: it reads a file or the keyboard. So dW1 is not graded.",
    )


def test_a_comparison_of_a_missing_step_has_no_remark() -> None:
    assert remarks("cmp('h', dh, h)") == ()
    assert remarks("dh = None", "cmp('h', dh, h)") == ()


def test_a_comparison_of_something_unknown_is_named() -> None:
    assert remarks("cmp('h', mystery, h)") == ("Cell 2, line 1 is left out: mystery has no value before it.",)


def test_a_comparison_of_an_unavailable_value_is_named() -> None:
    told = remarks("x = open('f')", "cmp('h', x, h)")
    assert told == ("Cell 2, line 1 is left out: it reads a file or the keyboard.",)


def test_a_value_made_of_a_missing_step_is_named() -> None:
    assert remarks("db2 = dh * 2") == ("Cell 2, line 1 is left out: dh has no value before it. So db2 is not graded.",)


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


def test_a_broken_cell_counts_where_a_sound_one_after_it_cannot_have_run() -> None:
    assert taken("dh = h * 2\nfor i in", "dh = mystery") == "dh = h * 2"
    assert taken("dh = h * 2\nfor i in", "dh = h") == "dh = h"
