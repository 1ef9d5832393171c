"""Reading a file that was dropped onto a page, as the student's own program reads it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import safetensors

from exercises.exercise import Exercise
from server.http.middleware import SOURCE_BYTES_MAX
from server.http.problems import Unprocessable
from server.pages.heat import times
from server.pages.study.slicing import CannotSlice, Wanted, slice_apart

SUFFIXES: Final = (".ipynb", ".py", ".safetensors")
NAME_LENGTH_MAX: Final = 255
REMARKS_MAX: Final = 8
TENSORS_BYTES_MAX: Final = 700 * 1024  # in base64 they are a field of the form that hands them in


class CannotRead(Unprocessable):
    """The file holds no answer of the exercise, or cannot be read."""

    title, slug = "This file cannot be handed in", "cannot-read"


@dataclass(frozen=True)
class FileRead:
    """A file as it would be handed in: code, or tensors.

    ``summary`` says what is taken, ``cells`` of which cells, ``remarks`` what is left out and why. ``tensors`` are
    names with shapes; ``encoded`` is such a file in base64.
    """

    filename: str
    summary: str
    remarks: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    source: str | None = None
    tensors: tuple[tuple[str, str], ...] = ()
    encoded: str = ""


def read_file(exercise: Exercise, handed_out: Iterable[str], filename: str, content: bytes) -> FileRead:
    """Return what is taken of a file. ``handed_out`` are the names of the forward state.

    :raises CannotRead: it holds no answer of the exercise, or cannot be read
    """
    name = PurePath(filename.replace("\\", "/")).name[:NAME_LENGTH_MAX] or "solution.py"
    suffix = PurePath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise CannotRead(
            f"{name} is neither a notebook, a script nor a file of tensors. Take one of {', '.join(SUFFIXES)}."
        )
    if suffix == ".safetensors":
        return _tensors(exercise, name, content)
    wanted = Wanted(name, exercise.slug, [each.name for each in exercise.checkpoints], list(handed_out))
    try:
        sliced = slice_apart(wanted, content)
    except CannotSlice as problem:
        raise CannotRead(str(problem)) from None
    remarks = tuple(_for_a_page(remark) for remark in sliced.remarks[:REMARKS_MAX])
    return FileRead(name, sliced.summary, remarks, tuple(sliced.cells), _checked(name, sliced.source))


def _for_a_page(remark: str) -> str:
    """Return a remark without an option of the command line: the code stands below it."""
    return remark.removesuffix(" Look at the result with --dry-run.")


def _checked(name: str, source: str) -> str:
    if len(source.encode("utf-8", "replace")) > SOURCE_BYTES_MAX:
        limit = SOURCE_BYTES_MAX // 1024
        raise CannotRead(f"{name} holds more than {limit} KiB of code. Leave out what the gradients do not need.")
    return source.encode("utf-8", "replace").decode()  # JSON of a notebook may hold half of a character


def _tensors(exercise: Exercise, name: str, content: bytes) -> FileRead:
    if len(content) > TENSORS_BYTES_MAX:
        limit = TENSORS_BYTES_MAX // 1024
        raise CannotRead(f"{name} is larger than {limit} KiB. Hand it in from a terminal: dojo submit {name}")
    try:
        shapes = {key: entry["shape"] for key, entry in safetensors.deserialize(content)}  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise CannotRead(
            f"{name} is no safetensors file ({error}). Write it with safetensors.torch.save_file."
        ) from None
    names = {each.name for each in exercise.checkpoints}
    answers = [(key, times(shape)) for key, shape in shapes.items() if key.removeprefix("d") in names or key in names]
    if not answers:
        first = exercise.checkpoints[0]
        raise CannotRead(f"{name} holds no tensor of this exercise. Name them like {first.answer}.")
    count = f"{len(answers)} tensor{'s' * (len(answers) > 1)}"
    summary = f"{count} of {len(names)} steps. They are compared with your own numbers."
    return FileRead(name, summary, tensors=tuple(answers), encoded=base64.b64encode(content).decode())
