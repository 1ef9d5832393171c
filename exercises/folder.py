"""A pack and its exercises as folders of data.

The folder of a pack holds ``pack.toml`` and a folder for each exercise::

    title = "Basics"
    summary = "Ten small derivations to begin with."
    licence = "MIT"
    exercises = ["one_neuron", "broadcasting"]  # their order

The folder of an exercise holds

- ``forward.py``: the lines of the forward pass, in the language of ``exercises.language``;
- ``given.py``: what they start from (``exercises.language.given``). A pack with data of its own names a
  ``NumberSource`` in ``exercise.toml`` instead;
- ``statement.md``: what students read;
- ``exercise.toml``: title, summary and revision, and the settings of ``SETTINGS``;
- as far as there are any: ``solution.py``, ``derivations.md``, ``hints.md``, ``parts.toml``, ``proof.json``.

The slug of an exercise is the pack's name and the folder's, with hyphens: ``basics/one-neuron``.

The folder of a pack that is not installed holds data from anybody. So nothing of it is run as Python, its lines are
bounded (``Limits``), and it leads to no file outside of it.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

from exercises import derivations
from exercises.derivations import Derivation
from exercises.errors import PackError
from exercises.exercise import Checkpoint, Exercise, Numbers, NumberSource
from exercises.formula import Part, Slip, SlipKind
from exercises.language import given, reader
from exercises.language.errors import Refused
from exercises.language.forward import Forward
from exercises.language.given import CANONICAL_SEED, Drawn, Given
from exercises.language.reading.limits import Limits
from exercises.tape import constants

PACK_FILE: Final = "pack.toml"
EXERCISE_FILE: Final = "exercise.toml"
PROOF_FILE: Final = "proof.json"
SETTINGS: Final[Mapping[str, type]] = {
    "title": str,
    "summary": str,
    "revision": int,
    "difficulty": str,  # a word for the page
    "lecture": str,  # an address
    "draws_judged": int,  # so many unseen instances judge code; then tensors are not taken
    "numbers": str,  # the pack's own NumberSource, as package.module:OBJECT
    "data": list,  # of own numbers, the names without a gradient
    "checkpoints": list,  # names, or tables of name, start and end; without it every step and parameter
    "vanishing": list,  # checkpoints, or parts as bqkv[8:16], whose gradient is zero in mathematics
    "groups": dict,  # heading → names of checkpoints
}
PACK_SETTINGS: Final[Mapping[str, type]] = {"title": str, "summary": str, "licence": str, "exercises": list}
# Who installs a pack is trusted. To ask torch for a size before it computes costs a second of its imports.
INSTALLED: Final = Limits(elements=2**40, elements_total=2**44)
OURS: Final = Path(__file__).resolve().parent  # the packs that come with the server
CHECKPOINTS_MAX: Final = 128  # ``grader.sandbox.result_layout.SLOTS_MAX``; a test compares the two
TEXT_BYTES_MAX: Final = 1024 * 1024
_NAME: Final = re.compile(r"[a-z0-9-]+")
_FOLDER: Final = re.compile(r"[a-z0-9_-]+")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Pack:
    """The exercises of a pack. ``digest`` is the SHA-256 of its files, without data, which has digests of its own."""

    name: str
    title: str
    summary: str
    licence: str
    digest: str
    exercises: tuple[Exercise, ...]


@dataclass(frozen=True)
class GivenNumbers:
    """The numbers of a ``given.py``: the seed decides them all, and there is no data to read."""

    given: Given

    def prepare(self) -> None:
        """Do nothing: no data is read."""

    def canonical(self) -> Numbers:
        """Return the numbers of the canonical seed."""
        return self.draw(CANONICAL_SEED)

    def draw(self, seed: int) -> Numbers:
        """Return the numbers of a seed. Their dataset is the text that they are drawn by."""
        return Numbers(self.given.tensors(seed), hashlib.sha256(self.given.text.encode()).hexdigest())


def load_pack(folder: Path, *, is_installed: bool = False) -> Pack:
    """Load the pack of a folder. ``is_installed`` says that its Python may run: who installs a pack trusts it.

    :raises PackError: a file is missing, or holds what cannot be used; the message names it
    """
    _require_no_way_out(folder)
    settings = _settings(folder / PACK_FILE, PACK_SETTINGS, required=("title", "licence", "exercises"))
    name = _slug_part(folder)
    names = settings["exercises"]
    for each in names:
        if not isinstance(each, str) or not _FOLDER.fullmatch(each):
            raise PackError(
                f"{folder / PACK_FILE}: {each!r} is no folder of this pack. Name one with a-z, 0-9, _ and -."
            )
    unlisted = sorted(path.parent.name for path in folder.glob(f"*/{EXERCISE_FILE}") if path.parent.name not in names)
    if unlisted:
        raise PackError(f"{folder / PACK_FILE} lacks {', '.join(unlisted)}. Add it to exercises, or remove its folder.")
    return Pack(
        name=name,
        title=settings["title"],
        summary=settings.get("summary", ""),
        licence=settings["licence"],
        digest=digest_of(folder),
        exercises=tuple(load(folder / each, name, is_installed=is_installed) for each in names),
    )


def load(folder: Path, pack: str, *, is_installed: bool = False) -> Exercise:
    """Load the exercise of a folder. ``is_installed`` says that its pack's Python may run.

    :raises PackError: a file is missing, or holds what cannot be used; the message names it
    """
    is_trusted = is_installed or folder.resolve().is_relative_to(OURS)
    settings = _settings(folder / EXERCISE_FILE, SETTINGS, required=("title", "revision"))
    if not is_trusted:
        _require_no_python(folder, settings)
    start = _start(folder, settings)
    limits = INSTALLED if is_trusted else Limits()
    forward = _in_file(folder / "forward.py", lambda text: reader.read(text, start.samples, limits=limits))
    start = start.with_drawn(folder / "forward.py", forward.drawn)
    asked = settings.get("checkpoints") or default_checkpoints(forward, start.params)
    exercise = Exercise(
        slug=f"{pack}/{_slug_part(folder)}",
        revision=settings["revision"],
        title=settings["title"],
        summary=settings.get("summary", ""),
        statement=_text(folder / "statement.md"),
        solution=_text(folder / "solution.py", ""),
        checkpoints=_checkpoints(folder / EXERCISE_FILE, asked),
        forward=forward,
        numbers=start.numbers,
        lecture=settings.get("lecture"),
        difficulty=settings.get("difficulty"),
        draws_judged=settings.get("draws_judged", 1),
        data=frozenset(start.data),
        vanishing=frozenset(settings.get("vanishing", ())),
        groups={heading: tuple(names) for heading, names in settings.get("groups", {}).items()},
        derivations=_read_derivations(folder / "derivations.md"),
        hints=_paragraphs(_text(folder / "hints.md", "")),
        parts=_parts(folder / "parts.toml"),
        proof=_text(folder / PROOF_FILE, "").encode() or None,
    )
    _check_names(folder, exercise, start.params)
    _check_count(folder, exercise)
    return exercise


def default_checkpoints(forward: Forward, params: Iterable[str]) -> list[str]:
    """Return the names of all steps but the loss, and of all parameters, from the loss back.

    What is read behind ``detach`` or ``no_grad`` alone has no gradient, and is left out. A parameter comes as soon as
    all that read it are done, after the step that reads it first.
    """
    names: list[str] = []
    waiting = forward.with_gradient.intersection(params)
    first_reader = {read: line.name for line in reversed(forward.lines) for read in line.reads if read in waiting}
    for line in reversed(forward.lines):
        if line.name != "loss" and not line.frozen and line.name in forward.with_gradient:
            names.append(line.name)
        names += [read for read in line.reads if first_reader.get(read) == line.name]
    return names


def digest_of(folder: Path) -> str:
    """Return the SHA-256 of the files of a pack: of their paths and contents, in the order of their paths.

    The proof is left out, since it speaks of the pack, and so is the folder ``data``: each dataset has a digest of its
    own, which every instance carries.
    """
    sha256 = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        parts = path.relative_to(folder).parts
        if not path.is_file() or path.name == PROOF_FILE or parts[0] == "data" or _is_hidden(parts):
            continue
        content = path.read_bytes()
        sha256.update(f"{'/'.join(parts)}\n{len(content)}\n".encode())
        sha256.update(content)
    return sha256.hexdigest()


def _require_no_way_out(folder: Path) -> None:
    """Check that no link leads out of a pack: students would read a file that is not the pack's.

    :raises PackError: one does
    """
    inside = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(inside):
            raise PackError(f"{path} leads out of the pack. Put a copy of the file there.")


def _require_no_python(folder: Path, settings: Mapping[str, Any]) -> None:
    """Check that an exercise is data alone.

    :raises PackError: it names or holds Python
    """
    if "numbers" in settings:
        raise PackError(f"{folder / EXERCISE_FILE}: numbers imports Python. Write a given.py, or install the pack.")
    if (folder / "parts.toml").exists():
        raise PackError(f"{folder / 'parts.toml'} holds Python. Take it out of the folder, or install the pack.")


def _is_hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in parts)


def _slug_part(folder: Path) -> str:
    name = folder.name.replace("_", "-")
    if not _NAME.fullmatch(name):
        raise PackError(f"{folder} has a name that no slug can have. Use the letters a-z, digits and hyphens.")
    return name


@dataclass(frozen=True)
class _Start:
    """What a forward pass starts from: its numbers, the names with and without a gradient, and samples to read with."""

    numbers: NumberSource
    params: tuple[str, ...]
    data: tuple[str, ...]
    samples: Mapping[str, Any]

    @classmethod
    def of(cls, found: Given) -> _Start:
        """Return the start that a ``given.py`` describes."""
        return cls(GivenNumbers(found), found.params, found.data, found.samples())

    def with_drawn(self, path: Path, drawn: tuple[Drawn, ...]) -> _Start:
        """Return this start with the tensors that the lines themselves draw, such as noise.

        :raises PackError: the numbers are the pack's own, which has to draw these too
        """
        if not drawn:
            return self
        if not isinstance(self.numbers, GivenNumbers):
            raise PackError(f"{path} draws {drawn[0].name}. Let the pack's own numbers hold it.")
        return _Start.of(replace(self.numbers.given, drawn=(*self.numbers.given.drawn, *drawn)))


def _start(folder: Path, settings: Mapping[str, Any]) -> _Start:
    if "numbers" not in settings:
        return _Start.of(_in_file(folder / "given.py", given.read))
    source = _object(folder / EXERCISE_FILE, settings["numbers"])
    tensors, data = source.canonical().tensors, tuple(settings.get("data", ()))
    params = tuple(
        name for name, value in tensors.items() if value.is_floating_point() and value.dim() and name not in data
    )
    samples = {name: value.detach().clone().requires_grad_(name in params) for name, value in tensors.items()}
    return _Start(source, params, data, samples | constants(tensors))


def _object(path: Path, name: str) -> NumberSource:
    module, _, attribute = name.partition(":")
    try:
        source: NumberSource = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise PackError(
            f"{path}: numbers = {name!r} cannot be imported: {error}. Write package.module:OBJECT."
        ) from error
    return source


def _checkpoints(path: Path, entries: Iterable[str | Mapping[str, Any]]) -> tuple[Checkpoint, ...]:
    try:
        return tuple(Checkpoint(each) if isinstance(each, str) else Checkpoint(**each) for each in entries)
    except TypeError as error:
        raise PackError(f"{path}: checkpoints: {error}. Write names, or tables of name, start and end.") from error


def _check_names(folder: Path, exercise: Exercise, params: Iterable[str]) -> None:
    """Check that each name that the settings have is one of the forward pass.

    :raises PackError: one is not
    """
    steps = [line.name for line in exercise.forward.lines if not line.frozen]
    if "loss" not in steps:
        raise PackError(f"{folder / 'forward.py'} sets no loss. Let its last line be loss = …, one number.")
    asked = [each.name for each in exercise.checkpoints]
    known = {*steps, *params} - {"loss"}
    places: dict[str, tuple[Iterable[str], Iterable[str]]] = {
        f"{EXERCISE_FILE}: checkpoints": (asked, known),
        f"{EXERCISE_FILE}: groups": ([name for names in exercise.groups.values() for name in names], asked),
        f"{EXERCISE_FILE}: vanishing": ({text.partition("[")[0] for text in exercise.vanishing}, asked),
        "derivations.md": (exercise.derivations, asked),
        "hints.md": (exercise.hints, asked),
        "parts.toml": (exercise.parts, asked),
    }
    for place, (names, allowed) in places.items():
        unknown = sorted(set(names) - set(allowed))
        if unknown:
            raise PackError(
                f"{folder / place} names {', '.join(unknown)}. Name steps and parameters that are asked for."
            )
    if not asked or len(set(asked)) < len(asked):
        raise PackError(f"{folder / EXERCISE_FILE} asks for nothing, or for one name twice. Mend its checkpoints.")


def _check_count(folder: Path, exercise: Exercise) -> None:
    """Check that a run has room for an answer to each checkpoint.

    :raises PackError: there are too many
    """
    asked = [each.name for each in exercise.checkpoints]
    if len(asked) <= CHECKPOINTS_MAX:
        return
    extra = asked[CHECKPOINTS_MAX]
    line = next(line for line in exercise.forward.lines if extra in (line.name, *line.reads))
    raise PackError(
        f"{folder / 'forward.py'}, line {line.number}: {extra} is checkpoint {CHECKPOINTS_MAX + 1} from the loss back, "
        f"and {CHECKPOINTS_MAX} fit; there are {len(asked)}. "
        f"Name fewer as checkpoints in {EXERCISE_FILE}, or make two exercises of it."
    )


def _in_file(path: Path, read: Callable[[str], Value]) -> Value:
    """Read a file of the language.

    :raises PackError: it is not there, or refused
    """
    try:
        return read(_text(path))
    except Refused as error:
        raise PackError(f"{path}, {error}") from error


def _text(path: Path, default: str | None = None) -> str:
    try:
        if path.exists() and not path.is_file():
            raise PackError(f"{path} is no file. Write one, or take it out of the pack.")
        if path.stat().st_size > TEXT_BYTES_MAX:
            raise PackError(f"{path} has more than {TEXT_BYTES_MAX // 1024} KiB. Make it shorter.")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if default is not None:
            return default
        raise PackError(f"{path} is missing. Write it, or take its folder out of the pack.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(f"{path} cannot be read: {error}. Save it as UTF-8, readable for this process.") from error


def _settings(path: Path, known: Mapping[str, type], required: Iterable[str]) -> dict[str, Any]:
    try:
        settings = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"{path} is no TOML: {error}. Mend that line.") from error
    for key, value in settings.items():
        if key not in known:
            raise PackError(f"{path} has a setting {key}, which there is not. Use: {', '.join(known)}.")
        if not isinstance(value, known[key]):
            raise PackError(f"{path}: {key} should be of type {known[key].__name__}. Change its value.")
    missing = [key for key in required if key not in settings]
    if missing:
        raise PackError(f"{path} lacks {', '.join(missing)}. Add it.")
    return settings


def _read_derivations(path: Path) -> dict[str, Derivation]:
    try:
        return derivations.read(_text(path, ""))
    except PackError as error:
        raise PackError(f"{path}: {error}") from error


def _paragraphs(text: str) -> dict[str, str]:
    """Return heading → the text below it."""
    found = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, rest = part.partition("\n")
        found[heading.strip()] = rest.strip()
    return found


def _parts(path: Path) -> dict[str, tuple[Part, ...]]:
    """Return checkpoint → the summands of its formula, each a table ``[[checkpoint]]`` with tables ``slips``."""
    try:
        return {
            name: tuple(
                Part(
                    entry["name"],
                    entry["code"],
                    entry["about"],
                    entry["turned"],
                    tuple(Slip(SlipKind(slip["kind"]), slip["code"], slip["says"]) for slip in entry.get("slips", ())),
                )
                for entry in entries
            )
            for name, entries in tomllib.loads(_text(path, "")).items()
        }
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PackError(
            f"{path} cannot be read: {error!r}. Write tables of name, code, about, turned, slips."
        ) from error
