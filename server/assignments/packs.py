"""The packs of a course: which there are, and which version of each the course has seen.

A course pins the digest of each pack that it takes in. The exercises are always those that are installed. If a digest
differs from the pin, staff are told: they look at what changed, and pin it again. A course that pins nothing has the
pack ``makemore``, in whatever version is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from exercises import registry
from exercises.exercise import Exercise
from exercises.folder import Pack
from server.assignments import changes
from server.assignments.exercises import UnknownPack
from server.audit.log import Entry, record
from server.courses.access import Actor, lock_active
from server.courses.pinned_packs import pack_names
from server.http.problems import Conflict
from server.tables import CourseRow

DIGEST_SHOWN = 12  # hexadecimal digits


class PackInUse(Conflict):
    """A pack that a course cannot be without."""

    title, slug = "The pack is in use", "pack-in-use"


@dataclass(frozen=True)
class CoursePack:
    """A pack of a course. ``pinned`` is a digest, or None; ``installed`` is None if this server does not have it."""

    name: str
    pinned: str | None
    installed: Pack | None

    @property
    def note(self) -> str | None:
        """What staff should know of the pack; None if all is well."""
        if self.installed is None:
            return f"The pack {self.name} is not installed here. Install it, or take it out of the course."
        if self.pinned is None or self.pinned == self.installed.digest:
            return None
        return (
            f"The pack {self.name} is not as this course pinned it ({self.installed.digest[:DIGEST_SHOWN]} for "
            f"{self.pinned[:DIGEST_SHOWN]}). Look at what changed, and pin it again."
        )


def read(course: CourseRow) -> list[CoursePack]:
    """Return the packs of a course, in its order."""
    installed = registry.packs()
    return [CoursePack(name, course.packs.get(name), installed.get(name)) for name in pack_names(course)]


def others(course: CourseRow) -> list[Pack]:
    """Return the installed packs that a course does not have."""
    return [pack for name, pack in registry.packs().items() if name not in pack_names(course)]


def exercises_of(course: CourseRow) -> dict[str, Exercise]:
    """Return slug → exercise of the packs of a course that are installed."""
    return {each.slug: each for pack in read(course) if pack.installed for each in pack.installed.exercises}


def pin(session: Session, course: CourseRow, name: str, actor: Actor) -> CoursePack:
    """Add a pack to a course, or pin the version of one that is installed now.

    :raises UnknownPack: there is no such pack
    :raises Archived: the course is archived
    """
    try:
        pack = registry.find_pack(name)
    except registry.NoSuchPack:
        names = ", ".join(registry.packs())
        raise UnknownPack(f"No pack {name!r} is installed. Choose one of: {names}.") from None
    lock_active(session, course)
    _write(session, course, {**_pins(course), name: pack.digest}, actor)
    return CoursePack(name, pack.digest, pack)


def remove(session: Session, course: CourseRow, name: str, actor: Actor) -> None:
    """Take a pack out of a course. What was handed in for its exercises stays.

    :raises UnknownPack: the course does not have it
    :raises PackInUse: it is the last one, or the course has assignments of it
    :raises Archived: the course is archived
    """
    lock_active(session, course)
    pins = _pins(course)
    if name not in pins:
        raise UnknownPack(f"This course has no pack {name!r}. It has: {', '.join(pins)}.")
    assigned = [row.exercise for row in changes.read(session, course) if row.exercise.startswith(f"{name}/")]
    if assigned:
        raise PackInUse(f"This course has assignments of {name}: {', '.join(assigned)}. Remove these first.")
    del pins[name]
    if not pins:
        raise PackInUse(f"{name} is the last pack of this course. Add another one first.")
    _write(session, course, pins, actor)


def _pins(course: CourseRow) -> dict[str, str]:
    """Return name → digest. A pack that was never pinned is now, in the version that is installed."""
    return {pack.name: pack.pinned or (pack.installed.digest if pack.installed else "") for pack in read(course)}


def _write(session: Session, course: CourseRow, pins: dict[str, str], actor: Actor) -> None:
    if pins == course.packs:
        return
    before, after = _shown(course.packs), _shown(pins)
    course.packs = pins
    session.add(course)
    record(
        session, Entry(course.id, actor.account_id, "course.packs", before={"packs": before}, after={"packs": after})
    )


def _shown(pins: dict[str, str]) -> Sequence[str]:
    return [f"{name} {digest[:DIGEST_SHOWN]}" for name, digest in pins.items()]
