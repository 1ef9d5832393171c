"""A file of tensors is data from anybody: whatever its bytes, it is answers or a BadAnswer."""

from __future__ import annotations

import json
import struct

import hypothesis.strategies as st
import pytest
import safetensors.torch
import torch
from hypothesis import example, given

from exercises.instance import Instance
from exercises.registry import find
from grader.answer import DTYPES
from grader.compare import Verdict
from grader.grade import grade_tensors
from grader.reference.gradients import reference
from grader.tensors import HEADER_BYTES_MAX, BadAnswer, read_answers

EXERCISE = find("makemore/batch-norm")
INSTANCE = Instance.canonical(EXERCISE)
RIGHT = reference(INSTANCE).gradients["hprebn"]


def file(header: object, data: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_an_answer_counts_under_its_variables_name_and_under_its_own() -> None:
    for name in ("dhprebn", "hprebn"):
        grade = grade_tensors(INSTANCE, safetensors.torch.save({name: RIGHT, "other": torch.ones(3)}))
        assert [row.verdict for row in grade.checkpoints] == [Verdict.EXACT]
        assert grade.complete
        assert grade.run is None


def test_dlogits_counts_where_logits_is_there_too() -> None:
    wrong = torch.zeros_like(RIGHT)

    variable = grade_tensors(INSTANCE, safetensors.torch.save({"dhprebn": RIGHT, "hprebn": wrong}))
    name = grade_tensors(INSTANCE, safetensors.torch.save({"dhprebn": wrong, "hprebn": RIGHT}))

    assert variable.checkpoints[0].verdict is Verdict.EXACT
    assert name.checkpoints[0].verdict is Verdict.WRONG


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_is_read_as_it_was_saved(dtype: torch.dtype) -> None:
    saved = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype)

    answer = read_answers(EXERCISE.checkpoints, safetensors.torch.save({"dhprebn": saved})).answers["hprebn"]

    assert answer.tensor is not None and answer.tensor.dtype is dtype
    assert answer.tensor.equal(saved)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bool], ids=str)
def test_an_empty_tensor_keeps_its_shape_and_dtype(dtype: torch.dtype) -> None:
    content = safetensors.torch.save({"dhprebn": torch.empty((0, 3), dtype=dtype)})

    answer = read_answers(EXERCISE.checkpoints, content).answers["hprebn"]

    assert answer.tensor is not None
    assert (answer.tensor.shape, answer.tensor.dtype) == ((0, 3), dtype)


def test_a_shape_that_is_too_large_is_told() -> None:
    content = file({"dhprebn": entry(shape=[0, 2**40, 2**40], offsets=[0, 0])})

    answer = read_answers(EXERCISE.checkpoints, content).answers["hprebn"]

    assert answer.tensor is None
    assert answer.shape == (0, 2**40, 2**40)


def test_the_longest_header_is_read() -> None:
    header = json.dumps({"dhprebn": entry()}).encode().ljust(HEADER_BYTES_MAX)

    assert list(read_answers(EXERCISE.checkpoints, file(header, bytes(8))).answers) == ["hprebn"]
    with pytest.raises(BadAnswer, match="thousands of tensors"):
        read_answers(EXERCISE.checkpoints, file(header + b" ", bytes(8)))


def test_what_is_not_in_the_file_is_missing() -> None:
    grade = grade_tensors(INSTANCE, safetensors.torch.save({"dlogits": RIGHT}))
    assert [row.verdict for row in grade.checkpoints] == [Verdict.MISSING]
    assert not grade.complete


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 8,
        b"\xff" * 64,
        file({"dhprebn": entry()}, b"\x00" * 7),  # truncated
        file({"dhprebn": entry()}, b"\x00" * 9),  # more than it says
        file({"dhprebn": entry(shape=[10**9], offsets=[0, 4 * 10**9])}),  # 10^9 elements claimed
        file({"dhprebn": entry(shape=[2**62, 2**62])}, b"\x00" * 8),  # a product that overflows
        file({"dhprebn": entry(shape=[-2])}, b"\x00" * 8),
        file({"dhprebn": entry(), "dh": entry()}, b"\x00" * 8),  # overlapping
        file({"dhprebn": entry(offsets=[8, 0])}, b"\x00" * 8),
        file({"dhprebn": entry("F33")}, b"\x00" * 8),
        file(b"[" * 100_000),
        file(b'{"dhprebn": ' * 10_000),
        struct.pack("<Q", 2**63) + b"{}",
    ],
    ids=range(14),
)
def test_a_file_that_lies_is_a_bad_answer(content: bytes) -> None:
    with pytest.raises(BadAnswer, match="Write one with"):
        grade_tensors(INSTANCE, content)


@pytest.mark.parametrize("dtype", ["F8_E4M3", "U64", "F4"])
def test_a_type_that_cannot_be_compared_is_a_verdict_or_a_bad_answer(dtype: str) -> None:
    width = {"F8_E4M3": 1, "U64": 8, "F4": 1}[dtype]
    content = file({"dhprebn": entry(dtype, [2], [0, 2 * width])}, b"\x00" * 2 * width)
    try:
        grade = grade_tensors(INSTANCE, content)
    except BadAnswer:
        return
    assert grade.checkpoints[0].verdict is Verdict.MISSING
    assert "save it as float32" in grade.checkpoints[0].notes[0]


HONEST = safetensors.torch.save({"dhprebn": RIGHT[:2]})
shapes = st.lists(st.integers(-1, 2**40) | st.integers(0, 4), max_size=5)
entries = st.builds(
    entry,
    st.sampled_from(["F64", "F32", "F16", "BF16", "I64", "U8", "BOOL", "C64", "F8_E5M2", "U32", "X"]),
    shapes,
    st.lists(st.integers(0, 2**33) | st.integers(0, 16), min_size=2, max_size=2),
)
headers = st.dictionaries(st.sampled_from(["dhprebn", "hprebn", "__metadata__", ""]), entries, max_size=3)


@given(
    st.binary(max_size=200)
    | st.builds(file, headers, st.binary(max_size=64))
    | st.builds(lambda size: HONEST[:size], st.integers(0, len(HONEST)))
    | st.builds(
        lambda at, byte: HONEST[:at] + bytes([byte]) + HONEST[at + 1 :],
        st.integers(0, len(HONEST) - 1),
        st.integers(0, 255),
    )
)
@example(file({"dhprebn": entry(shape=[0], offsets=[0, 0])}))
@example(file({"dhprebn": entry(shape=[], offsets=[0, 4])}, b"\x00\x00\xc0\x7f"))
@example(file({"dhprebn": entry(shape=[0, 2**64 - 1], offsets=[0, 0])}))
@example(file({"dhprebn": entry(shape=[0, 2**40, 2**40], offsets=[0, 0])}))
@example(file({"dhprebn": entry(shape=[1] * 10_000, offsets=[0, 4])}, b"\x00" * 4))
def test_any_bytes_are_answers_or_a_bad_answer(content: bytes) -> None:
    try:
        file = read_answers(EXERCISE.checkpoints, content)
    except BadAnswer:
        return
    for answer in (*file.answers.values(), *file.context.values()):
        assert answer.tensor is not None or answer.misfit
    assert grade_tensors(INSTANCE, content).total == 1


def test_a_header_of_thousands_of_tensors_is_not_read() -> None:
    crowd = {f"t{number}": entry(shape=(0,), offsets=(0, 0)) for number in range(5_000)}
    with pytest.raises(BadAnswer, match="thousands of tensors"):
        read_answers(EXERCISE.checkpoints, file(crowd | {"dhprebn": entry()}, bytes(8)))


class TestContext:
    def test_an_entry_with_the_prefix_is_context(self) -> None:
        content = safetensors.torch.save(
            {name: RIGHT.clone() for name in ("context.dhprebn", "context.other", "contextdhprebn")}
        )

        file = read_answers(EXERCISE.checkpoints, content)

        assert file.answers == {}
        assert list(file.context) == ["hprebn"]
        tensor = file.context["hprebn"].tensor
        assert tensor is not None and tensor.equal(RIGHT)

    def test_it_may_name_the_tensor_alone(self) -> None:
        file = read_answers(EXERCISE.checkpoints, safetensors.torch.save({"context.hprebn": RIGHT}))

        assert list(file.context) == ["hprebn"]

    def test_an_answer_of_the_same_name_counts(self) -> None:
        content = safetensors.torch.save({"context.dhprebn": 2 * RIGHT, "hprebn": RIGHT})

        file = read_answers(EXERCISE.checkpoints, content)

        assert list(file.answers) == ["hprebn"] and file.context == {}
        assert grade_tensors(INSTANCE, content).passed == 1

    def test_context_alone_is_not_graded(self) -> None:
        grade = grade_tensors(INSTANCE, safetensors.torch.save({"context.dhprebn": 2 * RIGHT}))

        assert [row.verdict for row in grade.checkpoints] == [Verdict.MISSING]
        assert grade.passed == grade.own == 0

    def test_context_that_cannot_be_read_is_left_out(self) -> None:
        empty = safetensors.torch.save({"context.dhprebn": torch.zeros(0, 3), "dlogits": RIGHT})

        assert grade_tensors(INSTANCE, empty).checkpoints[0].verdict is Verdict.MISSING
