"""What is written into a result is what is read."""

from __future__ import annotations

import mmap

import pytest
import torch

from grader.answer import CHANGED_AFTER_CMP, DTYPES, Answer, normalise
from grader.sandbox import RunStatus
from grader.sandbox.child.result_writer import ResultWriter
from grader.sandbox.trusted.result_reader import Result, read_result
from tests.grader.sandbox.results import LAYOUT, SIZE


def written(*answers: Answer, status: RunStatus = RunStatus.OK, message: str = "", out: bytes = b"") -> Result:
    buffer = mmap.mmap(-1, SIZE)
    writer = ResultWriter(buffer)
    writer.begin(LAYOUT)
    writer.print(out)
    for index, answer in enumerate(answers):
        writer.answer(index, answer)
    writer.finish(status, message, ("autograd",))
    return read_result(bytes(buffer), LAYOUT)


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


def test_a_rehearsal_leaves_nothing_to_be_read() -> None:
    buffer = mmap.mmap(-1, SIZE)
    writer = ResultWriter(buffer)
    writer.begin(LAYOUT)
    writer.answer(0, normalise(torch.ones(2)))
    writer.finish(RunStatus.OK, "", ())

    writer.erase()

    left = read_result(bytes(buffer), LAYOUT)
    assert not left.finished and left.answers["x"].tensor is None
