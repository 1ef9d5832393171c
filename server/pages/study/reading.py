"""Reading a file that was dropped onto a page, as the student's own program reads it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import safetensors

from dojo.errors import BadFile
from dojo.notebook_slice import SECTIONS, Goal, NotebookSlice, raw_cells, read_cells, slice_notebook, slice_script
from exercises.exercise import Exercise
from server.http.middleware import SOURCE_BYTES_MAX
from server.http.problems import Unprocessable
from server.pages.heat import times

SUFFIXES: Final = (".ipynb", ".py", ".safetensors")
NAME_LENGTH_MAX: Final = 255
REMARKS_MAX: Final = 8
CODE_CHARACTERS_MAX: Final = 128 * 1024  # the slice of as much takes some 3 s in the worst case
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
    goal = Goal(tuple(each.name for each in exercise.checkpoints), frozenset(handed_out), SECTIONS.get(exercise.slug))
    suffix = PurePath(name).suffix.lower()
    try:
        if suffix == ".safetensors":
            return _tensors(exercise, name, content)
        if suffix == ".ipynb":
            cells = raw_cells(content, name)
            _require_short(name, sum(map(_code_characters, cells)))
            return _sliced(name, slice_notebook(read_cells(cells), goal))
        if suffix == ".py":
            return _script(name, content, goal)
    except BadFile as error:
        raise CannotRead(error.message) from None
    except (RecursionError, MemoryError):
        raise CannotRead(f"{name} holds an expression that is nested too deep. Write it in parts.") from None
    raise CannotRead(
        f"{name} is neither a notebook, a script nor a file of tensors. Take one of {', '.join(SUFFIXES)}."
    )


def _code_characters(cell: Any) -> int:
    """Return how long the code of a cell is, whatever stands there."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return 0
    source = cell.get("source", cell.get("input"))
    lines = source if isinstance(source, list) else [source]
    return sum(len(line) for line in lines if isinstance(line, str))


def _require_short(name: str, characters: int) -> None:
    if characters > CODE_CHARACTERS_MAX:
        limit = CODE_CHARACTERS_MAX // 1024
        raise CannotRead(f"{name} holds more than {limit} KiB of code. Leave out what the gradients do not need.")


def _script(name: str, content: bytes, goal: Goal) -> FileRead:
    try:
        source = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CannotRead(f"{name} is not written in UTF-8. Save it as UTF-8, and take it again.") from None
    _require_short(name, len(source))
    part = slice_script(source, goal)
    if part is not None:
        return _sliced(name, part)
    return FileRead(name, "The whole script is taken.", source=_checked(name, source))


def _sliced(name: str, part: NotebookSlice) -> FileRead:
    remarks = tuple(_for_a_page(remark) for remark in part.remarks[:REMARKS_MAX])
    return FileRead(name, part.summary(), remarks, tuple(part.contributions()), _checked(name, part.source))


def _for_a_page(remark: str) -> str:
    """Return a remark without an option of the command line: the code stands below it."""
    return remark.removesuffix(" Look at the result with --dry-run.")


def _checked(name: str, source: str) -> str:
    if len(source.encode()) > SOURCE_BYTES_MAX:
        limit = SOURCE_BYTES_MAX // 1024
        raise CannotRead(f"{name} holds more than {limit} KiB of code. Leave out what the gradients do not need.")
    return source


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
