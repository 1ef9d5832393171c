"""The folder that ``dojo pull`` writes: one exercise, its forward state, and the student's own files.

.dojo.json         exercise, revision, course, server, digest of the state, checkpoints
state.safetensors  the forward state
exercise.md        the statement
solution.py        the student's; written once and never again
exercise.ipynb     the student's; the same as a notebook

The names of the files are constants. The server's answers only fill them.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dojo.api.addresses import checked_slug, server_address
from dojo.api.http import Transferred
from dojo.api.members import required, required_slug
from dojo.api.responses import Checkpoint, Exercise, read_checkpoint
from dojo.api.server import Connection, Server
from dojo.errors import BadFile, NotADojo
from dojo.files import atomic, starter
from dojo.tensors import shapes
from dojo.text import foreign_json

MARKER = ".dojo.json"
STATE = "state.safetensors"
STATEMENT = "exercise.md"
SOLUTION = "solution.py"
NOTEBOOK = "exercise.ipynb"
OWN_FILES = (NOTEBOOK, SOLUTION)  # the student's: never overwritten

FILE_NAME_BYTES_MAX = 200
FOLDERS_UP_MAX = 3  # so far above a file its workspace may be

# Names that Windows reserves for devices, whatever follows the first dot.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
_DIGEST = re.compile(r"[0-9a-f]{64}")  # part of the names of files in the outbox, so nothing else may be in it


@dataclass(frozen=True)
class Workspace:
    """A folder that was pulled. ``digest`` is the SHA-256 of the forward state, ``forward`` its source.

    ``has_attempts_max`` says that the course limits the attempts: then nothing is handed in unasked.
    """

    folder: Path
    exercise: str
    revision: int
    course: str
    server: str
    student: str | None
    digest: str
    checkpoints: tuple[Checkpoint, ...]
    forward: str = ""  # empty in a folder that an earlier version pulled
    has_attempts_max: bool = False

    @property
    def state_path(self) -> Path:
        """The file of the forward state."""
        return self.folder / STATE

    def require_current(self, server: Server, course: str) -> None:
        """Check that the server still has this forward state: tensors made on another one do not fit.

        :raises BadFile: the server has another state
        """
        if server.instance(course, self.exercise).get("digest") != self.digest:
            raise BadFile(
                f"The server has a new forward state of {self.exercise}: these tensors are of the old one.",
                f"Pull it again (dojo pull {self.exercise}), then compute them anew.",
            )

    def variable(self, text: str) -> str | None:
        """Return the student's variable for ``logits`` or ``dlogits``, or None if no checkpoint has that name."""
        names = [checkpoint.name for checkpoint in self.checkpoints]
        for name in (text, text.removeprefix("d")):
            if name in names:
                return f"d{name}"
        return None

    def state(self) -> bytes:
        """Return the forward state.

        :raises BadFile: the file is missing or was changed
        """
        try:
            content = self.state_path.read_bytes()
        except OSError as error:
            raise BadFile(f"{self.state_path} cannot be read.", f"Type: dojo pull {self.exercise}") from error
        if hashlib.sha256(content).hexdigest() != self.digest:
            raise BadFile(f"{self.state_path} is not what the server handed out.", f"Type: dojo pull {self.exercise}")
        return content


@dataclass(frozen=True)
class Pulled:
    """The result of a pull: the files that were written, and the student's files that were left alone.

    ``exercise`` is as the server has it now.
    """

    workspace: Workspace
    written: tuple[str, ...]
    kept: tuple[str, ...]
    new_state: bool
    exercise: Exercise


def open_workspace(folder: Path) -> Workspace:
    """Return the workspace of a folder.

    :raises BadFile: the folder was not pulled, or its marker is damaged
    """
    marker = folder / MARKER
    try:
        content = foreign_json(marker.read_text(encoding="utf-8"))  # a folder may come from anybody
        return Workspace(
            folder=folder,
            exercise=checked_slug(required(content, "exercise", str)),
            revision=required(content, "revision", int),
            course=required_slug(content, "course"),
            server=server_address(required(content, "server", str)),
            student=_student(content),
            digest=_checked_digest(required(content, "digest", str)),
            checkpoints=tuple(map(read_checkpoint, required(content, "checkpoints", list))),
            forward=required({"forward": "", **content}, "forward", str),
            has_attempts_max=required({"has_attempts_max": False, **content}, "has_attempts_max", bool),
        )
    except FileNotFoundError as error:
        raise BadFile(
            f"{folder} was not made by dojo pull.", "Type: dojo pull EXERCISE, then use its folder"
        ) from error
    except (OSError, ValueError, TypeError, NotADojo) as error:
        raise BadFile(f"{marker} is damaged.", "Delete it and pull the exercise again.") from error


def _student(content: dict[str, Any]) -> str | None:
    return required(content, "student", str) if content.get("student") is not None else None


def _checked_digest(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise ValueError("this is no SHA-256")
    return digest


def find_workspace(path: Path) -> Workspace | None:
    """Return the workspace that a file or folder lies in, or None."""
    start = path.resolve()
    for folder in (start, *start.parents)[: FOLDERS_UP_MAX + 1]:
        if (folder / MARKER).is_file():
            return open_workspace(folder)
    return None


def default_folder(slug: str, here: Path) -> Path:
    """Return where an exercise goes: here if this is its folder, else a folder of its name in here."""
    if (here / MARKER).is_file() and open_workspace(here).exercise == slug:
        return here
    name = checked_slug(slug).partition("/")[2].rstrip(".")  # Windows drops a dot at the end
    return here / (f"_{name}" if name.split(".")[0] in _DEVICES else name)


def is_file_name(name: str) -> bool:
    """Return whether a server's name for a file is a plain one: no path, no hidden file, no device of Windows."""
    is_path = bool(set(name) & set('/\\:*?"<>|'))
    is_hidden = name.startswith(".") or name.endswith((".", " "))
    is_device = name.split(".")[0].lower() in _DEVICES
    return 0 < len(name.encode()) <= FILE_NAME_BYTES_MAX and not (is_path or is_hidden or is_device)


def pull(connection: Connection, slug: str, folder: Path, transferred: Transferred | None = None) -> Pulled:
    """Write the folder of an exercise, or update it. The student's own files are never overwritten.

    :raises BadFile: the folder holds something else
    :raises ServerError: the server has no such exercise, or could not be reached
    """
    before = _workspace_before(folder, slug)
    server, course = connection.server, connection.course
    exercise = server.exercise(course, slug)
    starter.check_names(exercise)
    digest = required(server.instance(course, slug), "digest", str)
    known_digest = digest if before and before.digest == digest and _is_intact(before) else None
    state = server.state(course, slug, known_digest=known_digest, transferred=transferred)
    if state is not None and hashlib.sha256(state).hexdigest() != digest:
        raise NotADojo("The forward state arrived damaged: its digest is not the promised one.", "Pull it again.")
    workspace = Workspace(
        folder,
        exercise.slug,
        exercise.revision,
        course,
        server.address,
        connection.student,
        digest,
        exercise.checkpoints,
        exercise.forward,
        exercise.body.get("attempts_left") is not None,
    )
    files = _files(workspace, exercise, state)
    missing = [name for name in (NOTEBOOK, SOLUTION) if not (folder / name).exists()]
    written = [name for name in files if name not in OWN_FILES or name in missing]
    _write_files(folder, {name: files[name] for name in written})
    return Pulled(
        workspace,
        written=tuple(name for name in written if name != MARKER),
        kept=tuple(name for name in OWN_FILES if name not in missing),
        new_state=before is not None and before.digest != digest,
        exercise=exercise,
    )


def _files(workspace: Workspace, exercise: Exercise, state: bytes | None) -> dict[str, bytes]:
    """Return name → content of every file of the folder, in the order in which they are written.

    A bare ``dojo submit`` takes the newest file, which is ``solution.py`` until the student saves one.

    :raises NotADojo: the forward state is none
    """
    files = {}
    if state is not None:
        try:
            shapes(state, STATE)
        except BadFile as error:
            raise NotADojo(
                "The server sends a forward state that is none.", "Tell your instructor about it."
            ) from error
        files[STATE] = state
    files[STATEMENT] = starter.statement(exercise).encode()
    files[MARKER] = json.dumps(_marker(workspace), indent=1).encode()
    files[NOTEBOOK] = starter.notebook(exercise).encode()
    files[SOLUTION] = starter.solution(exercise).encode()
    return files


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files. If one cannot be written, a folder that was not there before is removed again.

    :raises OSError: a file cannot be written
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for name, content in files.items():
            atomic.write(folder / name, content)
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _workspace_before(folder: Path, slug: str) -> Workspace | None:
    """Return the workspace that the folder already is, or None.

    :raises BadFile: the folder holds something else
    """
    if (folder / MARKER).is_file():
        workspace = open_workspace(folder)
        if workspace.exercise == slug:
            return workspace
        raise BadFile(f"{folder} holds {workspace.exercise}.", f"Name another folder: dojo pull {slug} --to FOLDER")
    if folder.is_dir() and any(folder.iterdir()):
        raise BadFile(
            f"{folder} is there already, with other files in it.",
            f"Name another folder: dojo pull {slug} --to FOLDER",
        )
    if folder.exists() and not folder.is_dir():
        raise BadFile(f"{folder} is a file.", f"Name a folder: dojo pull {slug} --to FOLDER")
    return None


def _is_intact(workspace: Workspace) -> bool:
    try:
        workspace.state()
    except BadFile:
        return False
    return True


def _marker(workspace: Workspace) -> dict[str, Any]:
    marker = {key: value for key, value in asdict(workspace).items() if key != "folder"}
    # The student's progress belongs to the server; a copy here would become stale.
    for checkpoint in marker["checkpoints"]:
        for key in ("best", "attempts", "first_passed_at"):
            del checkpoint[key]
    return marker
