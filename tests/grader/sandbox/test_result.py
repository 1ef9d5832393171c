"""The result parser is total: any bytes give a Result, and what was written is what is read."""

from __future__ import annotations

import math
import mmap
import struct

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.answer import CHANGED_AFTER_CMP, DTYPES, MOST_DIMENSIONS, Answer, normalise
from grader.sandbox import Limits, RunStatus, Slot, result
from grader.sandbox.result import Layout, Writer, read

LIMITS = Limits(stdout_bytes=128, message_bytes=64, output_bytes=4096)
SLOTS = (Slot("x", 256), Slot("empty", 0), Slot("y", 64))
LAYOUT = Layout.of(SLOTS, LIMITS)
SIZE = result.size(LIMITS)
TABLE = 64
ENTRY = result._ENTRY


def check(found: result.Result) -> None:
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
    check(read(content, LAYOUT))


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
    check(read(bytes(content), LAYOUT))


def test_a_shape_whose_product_overflows_is_not_believed() -> None:
    for shape in ((2**32, 2**32), (2**63, 2, 2), (0, 2**62), (2**64 - 1, 2**64 - 1), (0, 2**40, 2**40)):
        content = bytearray(SIZE)
        padded = (*shape, *(0,) * (8 - len(shape)))
        ENTRY.pack_into(content, TABLE, 1, 0, len(shape), 0, 0, *padded, b"", b"")
        assert read(bytes(content), LAYOUT).answers["x"].tensor is None


@pytest.mark.parametrize("side", [9, 16, 256])
def test_a_consistent_shape_larger_than_its_slot_is_refused(side: int) -> None:
    shape = (side,) * (4 if side == 256 else 2)  # each side fits in the slot's 256 bytes, 4·256⁴ in all do not
    content = bytearray(SIZE)
    ENTRY.pack_into(
        content, TABLE, 1, 0, len(shape), 0, 4 * math.prod(shape), *shape, *(0,) * (8 - len(shape)), b"", b""
    )

    answer = read(bytes(content), LAYOUT).answers["x"]

    assert answer.tensor is None and answer.misfit == "dx was never assigned; assign it, or hand it to cmp"


def test_a_shape_that_fills_its_slot_is_read() -> None:
    content = bytearray(SIZE)
    ENTRY.pack_into(content, TABLE, 1, 0, 2, 0, 256, 8, 8, *(0,) * 6, b"", b"")

    tensor = read(bytes(content), LAYOUT).answers["x"].tensor

    assert tensor is not None and tensor.shape == (8, 8)


@pytest.mark.parametrize("length", [0, 20, 28, 256])
def test_a_length_that_is_not_the_shapes_is_refused(length: int) -> None:
    content = bytearray(SIZE)
    ENTRY.pack_into(content, TABLE, 1, 0, 2, 0, length, 2, 3, *(0,) * 6, b"", b"")

    assert read(bytes(content), LAYOUT).answers["x"].tensor is None


def test_an_answer_without_a_shape_has_none() -> None:
    content = bytearray(SIZE)
    for index, state in enumerate((2, 3, 4)):
        ENTRY.pack_into(content, TABLE + index * ENTRY.size, state, 0, 2, 0, 0, 5, 7, *(0,) * 6, b"", b"")

    found = read(bytes(content), LAYOUT).answers

    assert (found["x"].shape, found["empty"].shape, found["y"].shape) == ((5, 7), None, None)
    assert "this is not a tensor" in str(found["x"].misfit) and "never assigned" in str(found["y"].misfit)


def test_no_status_but_the_known_ones_is_read() -> None:
    content = bytearray(SIZE)
    struct.pack_into("=5I", content, 0, 0x600D, len(RunStatus), 0, 0, 0)

    assert read(bytes(content), LAYOUT).status is RunStatus.CRASHED


def test_a_rehearsal_leaves_nothing_to_be_read() -> None:
    buffer = mmap.mmap(-1, SIZE)
    writer = Writer(buffer)
    writer.begin(LAYOUT)
    writer.answer(0, normalise(torch.ones(2)))
    writer.finish(RunStatus.OK, "", ())

    writer.erase()

    left = read(bytes(buffer), LAYOUT)
    assert not left.finished and left.answers["x"].tensor is None


def test_slots_that_do_not_fit_are_refused() -> None:
    assert len(Layout.of([Slot("x", 0)] * 128, LIMITS).data_at) == 128
    with pytest.raises(ValueError, match="129 answers asked for; at most 128 fit"):
        Layout.of([Slot("x", 0)] * 129, LIMITS)
    with pytest.raises(ValueError, match="negative capacity"):
        Layout.of([Slot("x", -1)], LIMITS)
    with pytest.raises(ValueError, match="need 4160 bytes and the limit is 4096"):
        Layout.of([Slot("x", 4096), Slot("y", 1)], LIMITS)


def test_parts_of_a_layout_do_not_overlap() -> None:
    layout = Layout.of([Slot("a", 1), Slot("b", 65), Slot("c", 64), Slot("d", 0)], LIMITS)

    table_end = TABLE + 128 * ENTRY.size
    assert table_end <= layout.stdout_at and layout.stdout_at + 128 <= layout.message_at
    assert layout.message_at + 64 <= layout.data_at[0]
    assert [at - layout.data_at[0] for at in layout.data_at] == [0, 64, 192, 256]
    assert result.size(LIMITS) >= layout.data_at[0] + LIMITS.output_bytes


def test_text_longer_than_its_room_is_cut_where_it_is_read() -> None:
    content = bytearray(b"z" * SIZE)
    struct.pack_into("=5I", content, 0, 0x600D, 0, 0, 2**32 - 1, 2**32 - 1)

    found = read(bytes(content), LAYOUT)

    assert found.stdout == "z" * 128 and found.message == "z" * 64


def written(*answers: Answer, status: RunStatus = RunStatus.OK, message: str = "", out: bytes = b"") -> result.Result:
    buffer = mmap.mmap(-1, SIZE)
    writer = Writer(buffer)
    writer.begin(LAYOUT)
    writer.print(out)
    for index, answer in enumerate(answers):
        writer.answer(index, answer)
    writer.finish(status, message, ("autograd",))
    return read(bytes(buffer), LAYOUT)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (2, 3), (1, 2, 1, 2, 1, 2, 1, 1)])
def test_what_is_written_is_read(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = torch.arange(max(1, int(torch.tensor(shape).prod()))).to(dtype)
    tensor = tensor[: int(torch.tensor(shape).prod())].reshape(shape)
    found = written(normalise(tensor)).answers["x"]
    assert found.tensor is not None and found.tensor.dtype is dtype and found.shape == shape
    assert torch.equal(found.tensor, tensor) and found.dtype == str(dtype).removeprefix("torch.")


def test_notes_misfits_text_and_flags_come_through() -> None:
    noted = Answer(torch.ones(2), ("sparse, made dense", CHANGED_AFTER_CMP), None, (2,), "float32")
    found = written(noted, normalise("text"), normalise(torch.ones(9, 9)), message="m" * 99, out=b"o" * 999)
    assert found.finished and found.status is RunStatus.OK and found.flags == ("autograd",)
    assert found.answers["x"].notes == noted.notes
    assert found.answers["empty"].misfit == "a str is not a tensor; hand in a tensor (torch.tensor makes one)"
    assert found.answers["y"].shape == (9, 9) and "larger than any gradient" in str(found.answers["y"].misfit)
    assert found.stdout == "o" * 128
    assert len(found.message) <= 64 and "..." in found.message


def test_a_result_without_its_last_mark_is_not_finished() -> None:
    buffer = mmap.mmap(-1, SIZE)
    Writer(buffer).begin(LAYOUT)
    assert not read(bytes(buffer), LAYOUT).finished
    assert not read(b"", LAYOUT).finished


def test_bools_are_bools() -> None:
    content = bytearray(b"\x07" * SIZE)
    ENTRY.pack_into(content, TABLE, 1, DTYPES.index(torch.bool), 1, 0, 4, 4, *(0,) * 7, b"", b"")
    tensor = read(bytes(content), LAYOUT).answers["x"].tensor
    assert tensor is not None and tensor.view(torch.uint8).tolist() == [1, 1, 1, 1]


def test_no_control_character_is_let_through() -> None:
    controls = [*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F)]
    controls += range(0x2066, 0x206A)
    controls.remove(13)  # a line's end, as on another system
    text = "".join(map(chr, controls))

    got = result._text(f"a\tb\n{text}\r\nc\rd\x1b".encode())

    assert got == "a\tb\n" + "\ufffd" * len(controls) + "\nc\nd\ufffd"
