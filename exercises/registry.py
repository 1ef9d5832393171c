"""The registry: every exercise of every pack, by slug.

A pack is a folder (``exercises.folder``), and it is found in one of two ways:

1. A distribution has an entry point in the group ``backprop_dojo.exercises``. It names the package that is the pack's
   folder, the ``Path`` of such a folder, or a tuple of ``Exercise``::

       [project.entry-points."backprop_dojo.exercises"]
       basics = "exercises.basics"
       makemore = "exercises.makemore:EXERCISES"

2. The environment's ``DOJO_PACKS`` names the folder, or a folder that holds such folders. Several are separated as in
   ``PATH``. Such a folder is data: nothing of it is run as Python.

Drills are a pack by themselves: no course asks for them, and every course has them to practise. So they are found by
their slugs, and are not among ``exercises()``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Final

from exercises import folder
from exercises.errors import PackError
from exercises.exercise import Exercise
from exercises.folder import PACK_FILE, Pack

GROUP: Final = "backprop_dojo.exercises"
FOLDERS_VARIABLE: Final = "DOJO_PACKS"
DRILLS: Final = Path(__file__).parent / "drills"
CLOSE_SLUGS_MAX: Final = 3  # that an unknown one may have been meant for
CLOSENESS_MIN: Final = 0.7  # of two names, from 0 to 1, as difflib counts it
_SLUG: Final = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")


class NoSuchExercise(LookupError):
    """No pack has an exercise of this slug."""

    def __init__(self, slug: str) -> None:
        close = close_to(slug, exercises())
        meant = f"did you mean {' or '.join(close)}?" if close else f"choose one of: {', '.join(exercises())}"
        super().__init__(f"there is no exercise {slug!r}; {meant}")


class NoSuchPack(LookupError):
    """There is no pack of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no pack {name!r}; choose one of: {', '.join(packs())}")


@cache
def packs() -> Mapping[str, Pack]:
    """Return name → pack. They are loaded at the first call.

    :raises PackError: there is no pack, or one cannot be used
    """
    return load(entry_points(group=GROUP), folders(os.environ.get(FOLDERS_VARIABLE, "")))


@cache
def exercises() -> Mapping[str, Exercise]:
    """Return slug → exercise, of all packs.

    :raises PackError: there is no pack, or one cannot be used
    """
    return {exercise.slug: exercise for pack in packs().values() for exercise in pack.exercises}


def find(slug: str) -> Exercise:
    """Return the exercise of a slug such as ``makemore/full-backward``.

    :raises NoSuchExercise: there is none
    :raises PackError: there is no pack, or one cannot be used
    """
    try:
        return (drills() if is_drill(slug) else exercises())[slug]
    except KeyError:
        raise NoSuchExercise(slug) from None


def close_to(slug: str, among: Iterable[str]) -> list[str]:
    """Return those of some slugs whose names are most like that of a slug which has no exercise."""
    slugs_of: dict[str, list[str]] = {}
    for each in among:
        slugs_of.setdefault(each.rpartition("/")[2], []).append(each)
    names = get_close_matches(slug.rpartition("/")[2], slugs_of, CLOSE_SLUGS_MAX, CLOSENESS_MIN)
    return [each for name in names for each in slugs_of[name]][:CLOSE_SLUGS_MAX]


@cache
def drills() -> Mapping[str, Exercise]:
    """Return slug → drill, none where their folder is not installed. They are loaded at the first call.

    :raises PackError: the pack of drills cannot be used
    """
    if not (DRILLS / PACK_FILE).is_file():
        return {}
    return {exercise.slug: exercise for exercise in folder.load_pack(DRILLS, is_installed=True).exercises}


def is_drill(slug: str) -> bool:
    """Return whether a slug is that of a drill, if there is such an exercise at all."""
    return slug.startswith(f"{DRILLS.name}/")


def find_pack(name: str) -> Pack:
    """Return the pack of a name such as ``makemore``.

    :raises NoSuchPack: there is none
    :raises PackError: there is no pack, or one cannot be used
    """
    try:
        return packs()[name]
    except KeyError:
        raise NoSuchPack(name) from None


def clear() -> None:
    """Forget the packs, so that the next call loads them again."""
    packs.cache_clear()
    exercises.cache_clear()
    drills.cache_clear()


def prepare() -> None:
    """Load every pack and the data that its exercises draw from, so that a fault shows at start.

    :raises PackError: there is no pack, or a pack or its data cannot be used
    """
    for exercise in exercises().values():
        exercise.numbers.prepare()


def folders(setting: str) -> list[Path]:
    """Return the folders of packs that a setting such as ``DOJO_PACKS`` names.

    :raises PackError: a folder neither is a pack nor holds one
    """
    found: list[Path] = []
    for part in filter(None, setting.split(os.pathsep)):
        path = Path(part)
        inside = [path] if (path / PACK_FILE).is_file() else sorted(each.parent for each in path.glob(f"*/{PACK_FILE}"))
        if not inside:
            raise PackError(
                f"{FOLDERS_VARIABLE} names {path}, where no {PACK_FILE} is. Name the folder of a pack, "
                "or the folder that holds such folders."
            )
        found += inside
    return found


def load(installed: Iterable[EntryPoint], in_folders: Iterable[Path] = ()) -> dict[str, Pack]:
    """Load packs, those of entry points first, in the order of their names; return name → pack.

    A folder that is found twice is loaded once.

    :raises PackError: there is none, one cannot be used, or two hold the same slug or have the same name
    """
    found: dict[str, Pack] = {}
    origins: dict[str, str] = {}
    loaded: set[Path] = set()
    sources = [(_label(entry), _object_of(entry), True) for entry in sorted(installed, key=_label)]
    sources += [(f"the folder {path}", path, False) for path in in_folders]
    for origin, held, is_installed in sources:
        if isinstance(held, Path):
            if held.resolve() in (*loaded, DRILLS.resolve()):
                continue
            loaded.add(held.resolve())
        pack = _pack(origin, held, is_installed)
        for key in (pack.name, *(exercise.slug for exercise in pack.exercises)):
            if key in origins:
                raise PackError(
                    f"{key} is there twice, in {origins[key]} and in {origin}. "
                    "Uninstall one of the packs, or give one of them another name."
                )
            origins[key] = origin
        found[pack.name] = pack
    if not found:
        raise PackError(
            f"No pack of exercises is installed (entry points {GROUP}). Install the project again: pip install -e ."
        )
    return found


def _object_of(entry: EntryPoint) -> object:
    """Return the object of an entry point; of a package its folder.

    :raises PackError: its import fails
    """
    try:
        held = entry.load()
    except Exception as error:  # the code of a pack may raise anything when it is imported
        raise PackError(
            f"{_label(entry)} cannot be loaded: {type(error).__name__}: {error}. Mend it, or uninstall it."
        ) from error
    return Path(next(iter(held.__path__))) if isinstance(held, ModuleType) and hasattr(held, "__path__") else held


def _pack(origin: str, held: object, is_installed: bool) -> Pack:
    """Return the pack that an entry point or a folder holds.

    :raises PackError: it is no pack, or an exercise of it cannot be used
    """
    if isinstance(held, Path):
        try:
            return folder.load_pack(held, is_installed=is_installed)
        except PackError as error:
            raise PackError(f"{origin}: {error}") from error
    if not isinstance(held, tuple) or not held or not all(isinstance(exercise, Exercise) for exercise in held):
        raise PackError(
            f"{origin} is neither a folder nor a tuple of exercises. Let its entry point name the pack's package."
        )
    for exercise in held:
        if not _SLUG.fullmatch(exercise.slug):
            raise PackError(f"{origin}: {exercise.slug!r} is no slug. Use two words, such as pack/some-name.")
    name = held[0].slug.partition("/")[0]
    return Pack(name, name, "", "", _digest(held), held)


def _digest(held: tuple[Exercise, ...]) -> str:
    """Return the SHA-256 of what exercises written in Python ask for."""
    asked = [(each.slug, each.revision, each.statement, each.forward.text, each.checkpoints) for each in held]
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def _label(pack: EntryPoint) -> str:
    distribution = f" of {pack.dist.name} {pack.dist.version}" if pack.dist else ""
    return f"pack {pack.name}{distribution}"
