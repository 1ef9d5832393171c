"""The reader of a result is total, and believes no size before it is checked."""

from __future__ import annotations

import math
import mmap
import struct

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.answer import DTYPES, MOST_DIMENSIONS
from grader.sandbox import RunStatus
from grader.sandbox.child.result_writer import ResultWriter
from grader.sandbox.result_layout import ENTRY
from grader.sandbox.trusted import result_reader
from grader.sandbox.trusted.result_reader import Result, read_result
from tests.grader.sandbox.results import LAYOUT, SIZE, SLOTS, TABLE


def check(found: Result) -> None:
    assert isinstance(found.status, RunStatus)
    assert list(found.answers) == [slot.name for slot in SLOTS]
    assert len(found.stdout) <= 128 and len(found.message) <= 64
    for slot, answer in zip(SLOTS, found.answers.values(), strict=True):
        if answer.tensor is None:
            assert answer.misfit
            continue
        tensor = answer.tensor
        assert type(tensor) is torch.Tensor and tensor.nbytes <= slot.capacity and tensor.dtype in DTYPES
        assert tensor.is_contiguous() and tensor.dim() <= MOST_DIMENSIONS
        assert tuple(tensor.shape) == answer.shape
        tensor.sum()  # each element can be read
        repr(answer)


@given(st.binary(max_size=SIZE))
def test_any_bytes(content: bytes) -> None:
    check(read_result(content, LAYOUT))


WORD = st.sampled_from([0, 1, 2, 3, 4, 7, 8, 16, 63, 64, 255, 256, 2**31, 2**32 - 1, 2**63, 2**64 - 1])


SHAPE = st.lists(WORD, min_size=MOST_DIMENSIONS, max_size=MOST_DIMENSIONS)


@st.composite
def lying_entries(draw: st.DrawFn) -> bytes:
    """A slot's row of the table with words where it hurts."""
    return ENTRY.pack(
        draw(st.integers(0, 5)),  # state
        draw(st.integers(0, 12)),  # dtype
        draw(st.integers(0, 255)),  # dimensions
        draw(WORD) & 0xFFFF_FFFF,  # notes
        draw(WORD),  # bytes
        *draw(SHAPE),
        draw(st.binary(max_size=24)),
        draw(st.binary(max_size=152)),
    )


@settings(max_examples=500)
@given(
    head=st.lists(WORD, min_size=5, max_size=5),
    entries=st.lists(lying_entries(), min_size=3, max_size=3),
    fill=st.binary(min_size=1, max_size=64),
)
def test_headers_that_lie(head: list[int], entries: list[bytes], fill: bytes) -> None:
    content = bytearray((fill * (SIZE // len(fill) + 1))[:SIZE])
    struct.pack_into("=5I", content, 0, *(word & 0xFFFF_FFFF for word in head))
    content[TABLE : TABLE + 3 * ENTRY.size] = b"".join(entries)
    check(read_result(bytes(content), LAYOUT))


def test_a_shape_that_overflows_is_refused() -> None:
    for shape in ((2**32, 2**32), (2**63, 2, 2), (0, 2**62), (2**64 - 1, 2**64 - 1), (0, 2**40, 2**40)):
        content = bytearray(SIZE)
        padded = (*shape, *(0,) * (8 - len(shape)))
        ENTRY.pack_into(content, TABLE, 1, 0, len(shape), 0, 0, *padded, b"", b"")
        assert read_result(bytes(content), LAYOUT).answers["x"].tensor is None


@pytest.mark.parametrize("side", [9, 16, 256])
def test_a_consistent_shape_larger_than_its_slot_is_refused(side: int) -> None:
    shape = (side,) * (4 if side == 256 else 2)  # each side fits in the slot's 256 bytes, 4·256⁴ in all do not
    content = bytearray(SIZE)
    ENTRY.pack_into(
        content, TABLE, 1, 0, len(shape), 0, 4 * math.prod(shape), *shape, *(0,) * (8 - len(shape)), b"", b""
    )

    answer = read_result(bytes(content), LAYOUT).answers["x"]

    assert answer.tensor is None and answer.misfit == "dx was never assigned; assign it, or hand it to cmp"


def test_a_shape_that_fills_its_slot_is_read() -> None:
    content = bytearray(SIZE)
    ENTRY.pack_into(content, TABLE, 1, 0, 2, 0, 256, 8, 8, *(0,) * 6, b"", b"")

    tensor = read_result(bytes(content), LAYOUT).answers["x"].tensor

    assert tensor is not None and tensor.shape == (8, 8)


@pytest.mark.parametrize("length", [0, 20, 28, 256])
def test_a_length_that_is_not_the_shapes_is_refused(length: int) -> None:
    content = bytearray(SIZE)
    ENTRY.pack_into(content, TABLE, 1, 0, 2, 0, length, 2, 3, *(0,) * 6, b"", b"")

    assert read_result(bytes(content), LAYOUT).answers["x"].tensor is None


def test_an_answer_without_a_shape_has_none() -> None:
    content = bytearray(SIZE)
    for index, state in enumerate((2, 3, 4)):
        ENTRY.pack_into(content, TABLE + index * ENTRY.size, state, 0, 2, 0, 0, 5, 7, *(0,) * 6, b"", b"")

    found = read_result(bytes(content), LAYOUT).answers

    assert (found["x"].shape, found["empty"].shape, found["y"].shape) == ((5, 7), None, None)
    assert "this is not a tensor" in str(found["x"].misfit) and "never assigned" in str(found["y"].misfit)


def test_no_status_but_the_known_ones_is_read() -> None:
    content = bytearray(SIZE)
    struct.pack_into("=5I", content, 0, 0x600D, len(RunStatus), 0, 0, 0)

    assert read_result(bytes(content), LAYOUT).status is RunStatus.CRASHED


def test_text_over_its_room_is_cut() -> None:
    content = bytearray(b"z" * SIZE)
    struct.pack_into("=5I", content, 0, 0x600D, 0, 0, 2**32 - 1, 2**32 - 1)

    found = read_result(bytes(content), LAYOUT)

    assert found.stdout == "z" * 128 and found.message == "z" * 64


def test_a_result_without_its_last_mark_is_not_finished() -> None:
    buffer = mmap.mmap(-1, SIZE)
    ResultWriter(buffer).begin(LAYOUT)
    assert not read_result(bytes(buffer), LAYOUT).finished
    assert not read_result(b"", LAYOUT).finished


def test_bools_are_bools() -> None:
    content = bytearray(b"\x07" * SIZE)
    ENTRY.pack_into(content, TABLE, 1, DTYPES.index(torch.bool), 1, 0, 4, 4, *(0,) * 7, b"", b"")
    tensor = read_result(bytes(content), LAYOUT).answers["x"].tensor
    assert tensor is not None and tensor.view(torch.uint8).tolist() == [1, 1, 1, 1]


def test_no_control_character_is_let_through() -> None:
    controls = [*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F)]
    controls += range(0x2066, 0x206A)
    controls.remove(13)  # a line's end, as on another system
    text = "".join(map(chr, controls))

    got = result_reader._text(f"a\tb\n{text}\r\nc\rd\x1b".encode())

    assert got == "a\tb\n" + "\ufffd" * len(controls) + "\nc\nd\ufffd"
