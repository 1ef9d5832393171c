"""Files to submit: code as text, or tensors as bytes."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dojo.api.responses import Submission
from dojo.api.server import Connection
from dojo.errors import BadFile
from dojo.files.workspace import NOTEBOOK, SOLUTION, STATE
from dojo.notebook_slice import (
    Goal,
    NotebookSlice,
    read_cells,
    read_notebook,
    read_script,
    slice_notebook,
    slice_script,
)
from dojo.notebook_slice.dataflow import flow_of
from dojo.tensors import shapes

SOURCE_BYTES_MAX = 64 * 1024  # the server's limit
SUFFIXES = (".py", ".ipynb", ".safetensors")


@dataclass(frozen=True)
class CodeFile:
    """Source to run. ``notebook`` is the slice that it comes from, or None if the file is sent unchanged."""

    path: Path
    source: str
    notebook: NotebookSlice | None = None

    def send(self, connection: Connection, slug: str, wait: float) -> Submission:
        """Submit the source."""
        # On Linux a file's name may hold a backslash, which the server would take for a folder's.
        filename = self.path.name.replace("\\", "_")
        return connection.server.submit_code(connection.course, slug, filename, self.source, wait=wait)


@dataclass(frozen=True)
class TensorFile:
    """A safetensors file."""

    path: Path
    content: bytes

    def send(self, connection: Connection, slug: str, wait: float) -> Submission:
        """Submit the tensors."""
        return connection.server.submit_tensors(connection.course, slug, self.content, wait=wait)


AnswerFile = CodeFile | TensorFile


def find_answer_file(path: Path, command: str = "submit") -> Path:
    """Return the file for a command: the path itself, or in a folder the file that was changed last.

    :raises BadFile: there is none, or it is of another kind
    """
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise BadFile(f"{path} is neither of {', '.join(SUFFIXES)}.", f"Try: dojo {command} {SOLUTION}")
        return path
    if not path.is_dir():
        raise BadFile(f"There is no {path}.", f"Try: dojo {command} {SOLUTION}, in the folder that dojo pull made")
    files = [file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file() and file.name != STATE]
    if not files:
        where = "this folder" if path == Path() else str(path)
        raise BadFile(
            f"There is nothing to {command} in {where}.",
            f"Write {SOLUTION} or {NOTEBOOK}, or name a file: dojo {command} FILE",
        )
    return max(files, key=lambda file: (file.stat().st_mtime_ns, file.name == SOLUTION))


def read_answer_file(path: Path, goal: Goal) -> AnswerFile:
    """Read a file to submit.

    :raises BadFile: it holds no answer of the exercise, or too much, or cannot be read
    """
    if path.suffix == ".safetensors":
        content = path.read_bytes()
        _check_names(path, shapes(content, path), goal.checkpoints)
        return TensorFile(path, content)
    if path.suffix == ".ipynb":
        notebook = slice_notebook(read_cells(read_notebook(path)), goal)
        return CodeFile(path, _checked_size(path, notebook.source), notebook)
    try:
        source = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not written in UTF-8.", "Save it as UTF-8 and submit it again.") from error
    return _read_script(path, source, goal)


def _read_script(path: Path, source: str, goal: Goal) -> CodeFile:
    """Read a script: unchanged if it can run where it is graded, else what the answers in it need."""
    part = slice_script(source, goal)  # where it is None, Python's own words about a line help more
    return CodeFile(path, _checked_size(path, source if part is None else part.source), part)


def variables_in(path: Path) -> set[str]:
    """Return the names of all variables that a file makes. They tell which exercise it is for.

    :raises BadFile: the file cannot be read
    """
    if path.suffix == ".safetensors":
        names = set(shapes(path.read_bytes(), path))
        return names | {"d" + name for name in names}
    if path.suffix == ".ipynb":
        cells = read_cells(read_notebook(path)).cells
    else:
        cells = read_script(path.read_text(encoding="utf-8-sig", errors="replace")).cells
    statements = [statement for cell in cells for statement in cell.statements]
    flows = [flow_of(statement) for statement in statements]
    in_functions = (node for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name))
    stored = {node.id for node in in_functions if isinstance(node.ctx, ast.Store)}
    return {name for flow in flows for name in flow.binds | flow.changes} | stored


def _check_names(path: Path, names: Iterable[str], checkpoints: Iterable[str]) -> None:
    """Check that the tensors are gradients. The forward state is a safetensors file too, easily taken by mistake."""
    names, checkpoints = set(names), set(checkpoints)
    variables = {"d" + name for name in checkpoints}
    if len(names & checkpoints) > 1 and not names & variables and {"Yb", "loss"} & names:
        examples = ", ".join(sorted(names & checkpoints)[:3])
        raise BadFile(
            f"{path} looks like the forward state ({examples}, …), not like gradients.",
            "Name the gradients dlogits, dh, … and submit those.",
        )
    if not names & (checkpoints | variables):
        raise BadFile(
            f"{path} holds no tensor of this exercise.",
            f"Name the tensors like these: {min(variables)}, …",
        )


def _checked_size(path: Path, source: str) -> str:
    size = len(source.encode("utf-8", errors="replace"))
    if size > SOURCE_BYTES_MAX:
        raise BadFile(
            f"{path} is {size // 1024} KiB of code, and {SOURCE_BYTES_MAX // 1024} KiB are taken.",
            "Leave out what is not needed for the gradients.",
        )
    return source
