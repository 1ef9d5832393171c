"""What to hand in, from a file or a folder: code as text, or tensors as bytes."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dojo.api import Server
from dojo.errors import BadFile
from dojo.harvest import SECTIONS, Harvest, Wanted, harvest, read_cells, read_notebook
from dojo.harvest.dataflow import flow_of
from dojo.records import Submission
from dojo.tensors import shapes
from dojo.workspace import NOTEBOOK, SOLUTION, STATE

LARGEST_SOURCE = 64 * 1024  # bytes; the server takes no more
KINDS = (".py", ".ipynb", ".safetensors")


@dataclass(frozen=True)
class Code:
    """Source to be run. ``harvest`` is there where it was chosen from a notebook."""

    path: Path
    source: str
    harvest: Harvest | None = None

    def send(self, server: Server, course: str, slug: str, wait: float) -> Submission:
        # On Linux a file's name may hold a backslash, which the server would take for a folder's.
        return server.submit_code(course, slug, self.path.name.replace("\\", "_"), self.source, wait=wait)


@dataclass(frozen=True)
class Tensors:
    """A safetensors file."""

    path: Path
    content: bytes

    def send(self, server: Server, course: str, slug: str, wait: float) -> Submission:
        return server.submit_tensors(course, slug, self.content, wait=wait)


Handin = Code | Tensors


def find_file(path: Path) -> Path:
    """The file to hand in: the path itself, or in a folder the one that was changed last. Raises BadFile."""
    if path.is_file():
        if path.suffix not in KINDS:
            raise BadFile(f"{path} is neither of {', '.join(KINDS)}.", "Try: dojo submit solution.py")
        return path
    if not path.is_dir():
        raise BadFile(f"There is no {path}.", "Try: dojo submit solution.py, in the folder that dojo pull made")
    files = [each for each in path.iterdir() if each.suffix in KINDS and each.is_file() and each.name != STATE]
    if not files:
        where = "this folder" if path == Path() else str(path)
        raise BadFile(
            f"There is nothing to hand in in {where}.",
            f"Write {SOLUTION} or {NOTEBOOK}, or name a file: dojo submit FILE",
        )
    return max(files, key=lambda each: (each.stat().st_mtime_ns, each.name == SOLUTION))


def read_handin(path: Path, slug: str, checkpoints: Iterable[str], handed_out: Iterable[str]) -> Handin:
    """Raises BadFile where the file cannot be handed in."""
    if path.suffix == ".safetensors":
        content = path.read_bytes()
        _must_answer(path, shapes(content, path), checkpoints)
        return Tensors(path, content)
    if path.suffix == ".ipynb":
        wanted = Wanted(tuple(checkpoints), frozenset(handed_out), SECTIONS.get(slug))
        found = harvest(read_cells(read_notebook(path)), wanted)
        return Code(path, _of_size(path, found.source), found)
    try:
        source = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not written in UTF-8.", "Save it as UTF-8 and submit it again.") from error
    return Code(path, _of_size(path, source))


def answers_in(path: Path) -> set[str]:
    """The names of all variables that a file makes, to guess which exercise it is for. Raises BadFile."""
    if path.suffix == ".safetensors":
        found = set(shapes(path.read_bytes(), path))
        return found | {"d" + name for name in found}
    if path.suffix == ".ipynb":
        statements = [each for cell in read_cells(read_notebook(path)).cells for each in cell.statements]
    else:
        try:
            statements = ast.parse(path.read_bytes()).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return set()
    flows = [flow_of(each) for each in statements]
    return {name for flow in flows for name in flow.binds | flow.changes}


def _must_answer(path: Path, names: Iterable[str], checkpoints: Iterable[str]) -> None:
    """The state itself is a safetensors file too, and an easy one to hand in by mistake."""
    found, asked = set(names), set(checkpoints)
    if len(found & asked) > 1 and not found & {"d" + name for name in asked}:
        tensors = ", ".join(sorted(found & asked)[:3])
        if {"Yb", "loss"} & found:
            raise BadFile(
                f"{path} looks like the forward state ({tensors}, …), not like gradients.",
                "Name the gradients dlogits, dh, … and submit those.",
            )
    if not found & (asked | {"d" + name for name in asked}):
        raise BadFile(
            f"{path} holds no tensor of this exercise.",
            f"Name the tensors like these: d{next(iter(sorted(asked)))}, …",
        )


def _of_size(path: Path, source: str) -> str:
    size = len(source.encode("utf-8", errors="replace"))
    if size > LARGEST_SOURCE:
        raise BadFile(
            f"{path} is {size // 1024} KiB of code, and {LARGEST_SOURCE // 1024} KiB are taken.",
            "Leave out what is not needed for the gradients.",
        )
    return source
