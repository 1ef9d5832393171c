"""``compare`` agrees with torch's ``==``, ``allclose`` and ``max``, and has a verdict for every odd tensor."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import example, given
from torch import Tensor

from grader.answer import Answer, normalise
from grader.compare import Comparison, Diagnosis, Origin, Verdict, compare

EXPECTED = torch.tensor([[1.0, -2.0, 3.0], [0.5, 0.25, -0.125]])

finite = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-(2.0**100), max_value=2.0**100)
anything = st.floats(width=32)


@st.composite
def tensors(draw: st.DrawFn, elements: st.SearchStrategy[float] = finite) -> Tensor:
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    values = draw(st.lists(elements, min_size=rows * columns, max_size=rows * columns))
    return torch.tensor(values).view(rows, columns)


@st.composite
def near(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Draw a gradient and an answer of a shape that broadcasts: equal, a few ulps off, or quite different."""
    expected = draw(tensors())
    step = draw(st.sampled_from([0.0, 1e-7, 1e-5, 2e-5, 1e-3, 1.0]))
    answer = expected * (1 + step * draw(st.sampled_from([-1, 1])))
    return expected, draw(
        st.sampled_from([answer, answer[:1], answer[:, :1], answer[0], answer.expand(2, *answer.shape)])
    )


def row(value: object, expected: Tensor = EXPECTED) -> Comparison:
    return compare("logits", normalise(value), expected)


@given(near())
def test_agrees_with_torch_wherever_torch_has_an_opinion(pair: tuple[Tensor, Tensor]) -> None:
    expected, answer = pair
    found = row(answer, expected)
    assert found.exact == torch.all(answer == expected).item()
    assert found.approximate == torch.allclose(answer, expected)
    assert found.maxdiff == (answer - expected).abs().max().item()
    assert found.passed == found.approximate


@given(tensors(anything), tensors(anything))
@example(torch.tensor([[0.0]]), torch.tensor([[math.inf]]))
def test_any_two_tensors_have_a_row_that_prints(answer: Tensor, expected: Tensor) -> None:
    found = row(answer, expected)
    assert found.line().startswith("logits          | exact: ")
    assert set(found.as_json()) >= {
        "name",
        "verdict",
        "exact",
        "approximate",
        "maxdiff",
        "origin",
        "diagnosis",
        "notes",
    }
    if found.verdict in (Verdict.EXACT, Verdict.APPROXIMATE):
        assert torch.allclose(answer, expected)
    elif found.verdict is Verdict.SHAPE:
        with pytest.raises(RuntimeError):
            torch.broadcast_shapes(answer.shape, expected.shape)
    elif found.verdict is Verdict.NOT_FINITE:
        assert not answer.isfinite().all()
    else:
        assert found.verdict is Verdict.WRONG
        assert not torch.allclose(answer, expected)


def test_an_equal_answer_is_exact_and_its_row_reads_like_the_lectures() -> None:
    found = row(EXPECTED.clone())
    assert found.as_json() == {
        "name": "logits",
        "verdict": "exact",
        "exact": True,
        "approximate": True,
        "maxdiff": 0.0,
        "ulps": 0,
        "mismatched": 0,
        "worst": None,
        "origin": None,
        "inherits_constant": False,
        "diagnosis": [],
        "notes": [],
    }
    assert (found.verdict, found.ulps, found.mismatched, found.worst) == (Verdict.EXACT, 0, 0, None)
    assert found.line() == "logits          | exact: True  | approximate: True  | maxdiff: 0.0"


def test_one_bit_off_is_approximate_by_one_ulp() -> None:
    answer = EXPECTED.clone()
    answer[1, 2] = torch.nextafter(answer[1, 2], torch.tensor(0.0))
    found = row(answer)
    assert (found.verdict, found.ulps, found.mismatched, found.worst) == (Verdict.APPROXIMATE, 1, 0, (1, 2))


def test_ulps_are_counted_across_zero() -> None:
    tiny = torch.tensor([5e-324 + 1.401298464324817e-45])
    assert row(-tiny, tiny).ulps == 2
    assert row(torch.tensor([0.0]), tiny).ulps == 1
    assert row(torch.tensor([-0.0]), torch.tensor([0.0])).verdict is Verdict.EXACT


def test_a_wrong_answer_names_its_worst_element_and_how_many_are_off() -> None:
    answer = EXPECTED.clone()
    answer[0, 1] += 1
    answer[1, 0] += 5
    found = row(answer)
    assert (found.verdict, found.mismatched, found.worst, found.maxdiff) == (Verdict.WRONG, 2, (1, 0), 5.0)
    told = found.as_json()
    assert (told["verdict"], told["mismatched"], told["worst"], told["maxdiff"]) == ("wrong", 2, [1, 0], 5.0)
    assert told["ulps"] == found.ulps == 0x40B00000 - 0x3F000000  # the bits of 5.5 and of 0.5


def test_a_row_of_a_mistake_shows_its_origin_and_diagnosis() -> None:
    diagnosis = Diagnosis("sign", ("the kind.", "the line."))
    found = replace(row(-EXPECTED), origin=Origin.OWN, diagnosis=(diagnosis,), notes=("a note",)).as_json()

    assert found["origin"] == "own" and found["notes"] == ["a note"]
    assert found["diagnosis"] == [
        {"code": "sign", "message": "the kind. the line.", "hints": ["the kind.", "the line."]}
    ]


def test_an_equal_answer_of_another_shape_has_no_worst_element() -> None:
    found = row(EXPECTED[:, None][:, 0].expand(3, 2, 3))

    assert (found.verdict, found.worst, found.mismatched) == (Verdict.EXACT, None, 0)


def test_verdicts_are_ranked_from_best_to_worst() -> None:
    assert sorted(Verdict, key=lambda verdict: verdict.rank) == list(Verdict)
    assert (Verdict.EXACT.rank, Verdict.APPROXIMATE.rank, Verdict.ROUNDING.rank, Verdict.MISSING.rank) == (0, 1, 2, 7)
    passing = [Verdict.EXACT, Verdict.APPROXIMATE, Verdict.ROUNDING]
    assert [verdict for verdict in Verdict if verdict.passed] == passing


def test_a_row_without_numbers_prints_a_dash() -> None:
    assert row(None).line() == "logits          | exact: False | approximate: False | maxdiff: -"


@pytest.mark.parametrize(("rows", "verdict"), [(65_536, Verdict.WRONG), (65_537, Verdict.SHAPE)])
def test_a_comparison_has_65536_elements_at_most(rows: int, verdict: Verdict) -> None:
    assert row(torch.zeros(rows, 1), torch.ones(1)).verdict is verdict


def test_elements_that_are_not_finite_are_counted() -> None:
    found = row(torch.tensor([math.nan, math.inf, 0]))

    assert (found.verdict, found.mismatched) == (Verdict.NOT_FINITE, 2)
    assert found.notes[-1] == "2 of 3 elements are NaN or infinite"


def test_a_complex_misfit_is_told_by_its_dtype() -> None:
    found = row(torch.zeros((), dtype=torch.complex128).expand(2**24))

    assert found.verdict is Verdict.DTYPE


@pytest.mark.parametrize(
    ("shape", "verdict"), [((2, 4), Verdict.SHAPE), ((3,), Verdict.MISSING), (None, Verdict.MISSING)], ids=str
)
def test_a_misfit_whose_shape_does_not_broadcast_is_of_shape(shape: tuple[int, ...] | None, verdict: Verdict) -> None:
    assert compare("logits", Answer(None, misfit="why", shape=shape), EXPECTED).verdict is verdict


def test_a_single_number_is_compared() -> None:
    assert row(torch.tensor([2.0]), torch.tensor(2.0)).verdict is Verdict.EXACT


def test_a_row_of_another_dtype_keeps_its_name() -> None:
    assert row(EXPECTED.long()).name == "logits"


@pytest.mark.filterwarnings("error")
def test_an_infinity_is_close_to_itself_alone() -> None:
    expected = torch.tensor([math.inf, -math.inf, 1.0])

    found = [
        row(torch.tensor(answer), expected) for answer in ([math.inf, -math.inf, 1.0 + 1e-6], [3e38, 3e38, 1.0 + 8e-6])
    ]

    assert [(each.mismatched, each.verdict) for each in found] == [(2, Verdict.NOT_FINITE), (2, Verdict.WRONG)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("answer", [EXPECTED * math.inf, EXPECTED * math.nan, torch.full((2, 3), -3e38)], ids=range(3))
def test_numbers_without_end_warn_nobody(answer: Tensor) -> None:
    assert not row(answer, torch.full((2, 3), 3e38)).approximate


def test_what_was_done_to_a_misfit_is_noted_too() -> None:
    found = compare("logits", Answer(None, ("a numpy array, read as a tensor",), "why"), EXPECTED)

    assert found.notes == ("a numpy array, read as a tensor", "why")


@pytest.mark.parametrize(
    ("answer", "verdict", "said"),
    [
        (None, Verdict.MISSING, ""),
        (0.5, Verdict.MISSING, "float"),
        ("zeros", Verdict.MISSING, "str"),
        (EXPECTED.to("meta"), Verdict.MISSING, "meta"),
        (torch.zeros(2, 4), Verdict.SHAPE, "[2, 4]"),
        (torch.zeros(0), Verdict.SHAPE, "[0]"),
        (torch.zeros(0, 2, 3), Verdict.SHAPE, "[0, 2, 3]"),
        (torch.zeros(()).expand(1_000_000, 2, 3), Verdict.SHAPE, "[1000000, 2, 3]"),
        (EXPECTED.long(), Verdict.DTYPE, "int64"),
        (EXPECTED > 0, Verdict.DTYPE, "bool"),
        (EXPECTED.to(torch.complex64), Verdict.DTYPE, "complex64"),
        (EXPECTED.double(), Verdict.EXACT, "float64, compared as float32"),
        (EXPECTED.half(), Verdict.EXACT, "float16, compared as float32"),
        (EXPECTED.bfloat16(), Verdict.EXACT, "bfloat16, compared as float32"),
        (EXPECTED.to_sparse(), Verdict.EXACT, "sparse"),
        (EXPECTED.clone().requires_grad_(), Verdict.EXACT, "requires_grad"),
        (torch.nn.Parameter(EXPECTED.clone()), Verdict.EXACT, "requires_grad"),
        (EXPECTED.T.contiguous().T, Verdict.EXACT, ""),
        (EXPECTED * math.nan, Verdict.NOT_FINITE, "6 of 6 elements"),
        (EXPECTED.double() * 1e300, Verdict.NOT_FINITE, "6 of 6 elements"),
        (torch.tensor([math.inf, 0, 0]), Verdict.NOT_FINITE, "1 of 3 elements"),
    ],
    ids=str,
)
def test_every_odd_answer_is_a_verdict_and_says_why(answer: object, verdict: Verdict, said: str) -> None:
    found = row(answer)
    assert found.verdict is verdict
    assert said in " ".join(found.notes)
    assert found.passed == (verdict in (Verdict.EXACT, Verdict.APPROXIMATE))


def test_a_shape_that_broadcasts_is_compared_as_cmp_does_and_noted() -> None:
    expected = torch.tensor([[1.0, 2.0, 3.0]])
    for answer in (expected[0], expected.expand(5, 3)):
        found = row(answer, expected)
        assert found.verdict is Verdict.EXACT
        assert "by broadcasting" in " ".join(found.notes)


@pytest.mark.parametrize(
    "answer", [EXPECTED * math.nan, EXPECTED * math.inf, torch.tensor([math.nan, 0, 0]), torch.full((2, 3), -3e38)]
)
def test_nan_never_reaches_json(answer: Tensor) -> None:
    found = row(answer, torch.full((2, 3), 3e38))

    assert not math.isfinite(found.maxdiff or 0.0)
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["maxdiff"] is None


def test_nothing_handed_in_is_missing_with_the_reason() -> None:
    found = compare("logits", Answer(None, misfit="dlogits was not handed in"), EXPECTED)
    assert found.verdict is Verdict.MISSING
    assert found.notes == ("dlogits was not handed in",)
    assert found.as_json()["maxdiff"] is None
