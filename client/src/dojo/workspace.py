"""The folder that `dojo pull` writes: one exercise, its forward state, and the student's own files.

    .dojo.json         exercise, revision, course, server, digest of the state, checkpoints
    state.safetensors  the forward state
    exercise.md        what is asked
    solution.py        the student's, made once and never written again
    exercise.ipynb     the same as a notebook

The names of files are ours; the server's answers only fill them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dojo import starter
from dojo.api import Server, checked_slug
from dojo.errors import BadFile, NotADojo
from dojo.exchange import Transferred
from dojo.records import Checkpoint, get

MARK = ".dojo.json"
STATE = "state.safetensors"
STATEMENT = "exercise.md"
SOLUTION = "solution.py"
NOTEBOOK = "exercise.ipynb"

# Names that Windows keeps for devices, whatever follows the first dot.
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
_DIGEST = re.compile(r"[0-9a-f]{64}")  # part of the names of files in the outbox, so nothing else may be in it


@dataclass(frozen=True)
class Workspace:
    """A folder that was pulled. ``digest`` is the SHA-256 of the state."""

    folder: Path
    exercise: str
    revision: int
    course: str
    server: str
    student: str | None
    digest: str
    checkpoints: tuple[Checkpoint, ...]

    @property
    def state_path(self) -> Path:
        return self.folder / STATE

    def must_be_current(self, server: Server, course: str) -> None:
        """Tensors fit only the forward state that they were made on. Raises BadFile where the server has
        another."""
        if server.instance(course, self.exercise).get("digest") != self.digest:
            raise BadFile(
                f"The server has a new forward state of {self.exercise}: these tensors are of the old one.",
                f"Pull it again (dojo pull {self.exercise}), then compute them anew.",
            )

    def answer(self, text: str) -> str | None:
        """The student's variable, for `logits` or `dlogits`; None where the exercise asks for no such
        thing."""
        names = [each.name for each in self.checkpoints]
        for name in (text, text.removeprefix("d")):
            if name in names:
                return f"d{name}"
        return None

    def state(self) -> bytes:
        """The forward state. Raises BadFile where it is gone or not what was pulled."""
        try:
            content = self.state_path.read_bytes()
        except OSError as error:
            raise BadFile(f"{self.state_path} cannot be read.", f"Type: dojo pull {self.exercise}") from error
        if hashlib.sha256(content).hexdigest() != self.digest:
            raise BadFile(f"{self.state_path} is not what the server handed out.", f"Type: dojo pull {self.exercise}")
        return content


@dataclass(frozen=True)
class Pulled:
    """What a pull did: files written, and files of the student's that were left alone."""

    workspace: Workspace
    written: tuple[str, ...]
    kept: tuple[str, ...]
    new_state: bool


def open_workspace(folder: Path) -> Workspace:
    """Raises BadFile where the folder was not pulled."""
    mark = folder / MARK
    try:
        found = json.loads(mark.read_text(encoding="utf-8"))
        checkpoints = tuple(
            Checkpoint(**{**each, "shape": tuple(each["shape"]) if each.get("shape") is not None else None})
            for each in get(found, "checkpoints", list)
        )
        return Workspace(
            folder=folder,
            exercise=checked_slug(get(found, "exercise", str)),
            revision=get(found, "revision", int),
            course=get(found, "course", str),
            server=get(found, "server", str),
            student=found.get("student"),
            digest=_digest(found),
            checkpoints=checkpoints,
        )
    except FileNotFoundError as error:
        raise BadFile(
            f"{folder} was not made by dojo pull.", "Type: dojo pull EXERCISE, then use its folder"
        ) from error
    except (OSError, ValueError, TypeError, NotADojo) as error:
        raise BadFile(f"{mark} is damaged.", "Delete it and pull the exercise again.") from error


def _digest(mark: dict[str, Any]) -> str:
    digest = get(mark, "digest", str)
    if not _DIGEST.fullmatch(digest):
        raise ValueError("the digest is none")
    return digest


def find_workspace(path: Path) -> Workspace | None:
    """The workspace that a file or folder lies in, looking upwards a few folders; None outside of one."""
    start = path.resolve()
    for folder in (start, *start.parents)[:4]:
        if (folder / MARK).is_file():
            return open_workspace(folder)
    return None


def folder_for(slug: str, here: Path) -> Path:
    """Where an exercise goes when no folder is named: here, if this is its folder, else a folder of its
    name."""
    if (here / MARK).is_file() and open_workspace(here).exercise == slug:
        return here
    name = checked_slug(slug).partition("/")[2].rstrip(".")  # Windows drops a dot at the end
    return here / (f"_{name}" if name.split(".")[0] in DEVICES else name)


def pull(
    server: Server,
    course: str,
    slug: str,
    folder: Path,
    *,
    student: str | None,
    transferred: Transferred | None = None,
) -> Pulled:
    """Write the folder of an exercise, or bring it up to date; the student's own files are never written
    over."""
    before = _before(folder, slug)
    exercise = server.exercise(course, slug)
    starter.check(exercise)
    digest = get(server.instance(course, slug), "digest", str)
    have = before.digest if before and before.digest == digest and _intact(before) else None
    state = server.state(course, slug, have=have, transferred=transferred)
    if state is not None and hashlib.sha256(state).hexdigest() != digest:
        raise NotADojo("The forward state arrived damaged: its digest is not the promised one.", "Pull it again.")
    workspace = Workspace(
        folder,
        exercise.slug,
        exercise.revision,
        course,
        server.address,
        student,
        digest,
        exercise.checkpoints,
    )
    folder.mkdir(parents=True, exist_ok=True)
    if state is not None:
        _write(workspace.state_path, state)
    _write(folder / STATEMENT, starter.statement(exercise).encode())
    _write(folder / MARK, json.dumps(_mark(workspace), indent=1).encode())
    # In this order: a bare `dojo submit` takes the newest, which is solution.py until one is saved.
    own = {NOTEBOOK: starter.notebook(exercise), SOLUTION: starter.solution(exercise)}
    missing = [name for name in own if not (folder / name).exists()]
    for name in missing:
        _write(folder / name, own[name].encode())
    return Pulled(
        workspace,
        written=((STATE,) if state is not None else ()) + (STATEMENT, *missing),
        kept=tuple(name for name in own if name not in missing),
        new_state=before is not None and before.digest != digest,
    )


def _before(folder: Path, slug: str) -> Workspace | None:
    """What is in the folder already. Raises BadFile where it holds something else."""
    if (folder / MARK).is_file():
        before = open_workspace(folder)
        if before.exercise == slug:
            return before
        raise BadFile(f"{folder} holds {before.exercise}.", f"Name another folder: dojo pull {slug} --to FOLDER")
    if folder.is_dir() and any(folder.iterdir()):
        raise BadFile(
            f"{folder} is there already, with other files in it.",
            f"Name another folder: dojo pull {slug} --to FOLDER",
        )
    if folder.exists() and not folder.is_dir():
        raise BadFile(f"{folder} is a file.", f"Name a folder: dojo pull {slug} --to FOLDER")
    return None


def _intact(workspace: Workspace) -> bool:
    try:
        workspace.state()
    except BadFile:
        return False
    return True


def _mark(workspace: Workspace) -> dict[str, Any]:
    mark = {key: value for key, value in asdict(workspace).items() if key != "folder"}
    # How far the student is belongs to the server; kept here, it would grow old.
    for each in mark["checkpoints"]:
        for stale in ("best", "attempts", "first_passed_at"):
            del each[stale]
    return mark


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: a broken connection or a full disk must not leave half a state behind."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if os.name == "posix":
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)  # mkstemp makes private files; these are ordinary ones
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
