"""The code that students handed in, as an archive that tools for source similarity read.

JPlag takes each folder of the root for a submission, and files by their suffix (its guide, "Basic Concepts"). Dolos
reads ``info.csv`` in the root, with ``filename``, ``label``, ``created_at`` and ``full_name`` (its guide, "Adding
metadata"). So one archive serves both.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, select
from sqlmodel import Session, col

from exercises.exercise import Exercise
from server.courses.local_time import zone_of
from server.database.engine import Database
from server.reports.graded import newest_grades
from server.reports.students import Scope, in_scope
from server.spreadsheet import defused
from server.tables import AccountRow, AnswerKind, CourseRow, GradeRow, SeatRow, SubmissionRow
from server.zip_stream import ZipStream

INFO: Final = "info.csv"
INFO_HEADER: Final = ("filename", "label", "full_name", "id", "submission_id", "attempt", "created_at", "passed")
BATCH: Final = 50  # sources in memory at once
SUFFIX: Final = ".py"
STEM_LENGTH_MAX: Final = 60
UNSAFE: Final = re.compile(r"[^\w-]+")

Item = TypeVar("Item")


class Selection(StrEnum):
    """Which submissions of each student: the last, the best (of several, the first), or all."""

    LAST = "last"
    BEST = "best"
    ALL = "all"


@dataclass(frozen=True)
class Handin:
    """Code of a student that can be read. ``passed`` counts its right steps; None without a grade."""

    submission_id: int
    exercise: str
    account_id: int
    name: str
    section: str | None
    attempt: int
    filename: str | None
    handed_in_at: datetime
    passed: int | None


@dataclass(frozen=True)
class Archive:
    """An archive of sources, without them: they are read while it is written.

    ``is_named`` is whether folders and ``info.csv`` may name students; else they hold numbers. If it ``is_nested``, the
    folders of each exercise stand in a folder of their own, so that JPlag reads one exercise at a time.
    """

    zone: ZoneInfo
    handins: Sequence[Handin]
    is_named: bool
    is_nested: bool

    def path(self, handin: Handin) -> str:
        """Return the path of a source: a folder for each submission."""
        who = f"{_plain(handin.name)}_{handin.account_id}" if self.is_named else f"student_{handin.account_id}"
        stem = _plain(PurePosixPath((handin.filename or "").replace("\\", "/")).stem)
        root = f"{_plain(handin.exercise)}/" if self.is_nested else ""
        return f"{root}{who}_attempt_{handin.attempt}/{stem}{SUFFIX}"

    def info(self) -> str:
        """Return ``info.csv``."""
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(INFO_HEADER)
        for each in self.handins:
            name = defused(each.name) if self.is_named else f"student {each.account_id}"
            moment = each.handed_in_at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S %z")
            whose = (self.path(each), defused(each.section or ""), name, each.account_id)
            lines.writerow((*whose, each.submission_id, each.attempt, moment, each.passed))
        return text.getvalue()

    def chunks(self, database: Database) -> Iterator[bytes]:
        """Yield the bytes of the archive. Sources are read in small transactions of their own, as they are needed."""
        written = ZipStream()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(INFO, self.info())
            for batch in batches(self.handins, BATCH):
                bodies = read_bodies(database, [each.submission_id for each in batch])
                for each in batch:
                    if each.submission_id in bodies:  # else it was erased just now
                        archive.writestr(self._entry(each), bodies[each.submission_id])
                    yield written.taken()
        yield written.taken()

    def _entry(self, handin: Handin) -> zipfile.ZipInfo:
        moment = handin.handed_in_at.astimezone(self.zone)
        entry = zipfile.ZipInfo(self.path(handin), moment.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        return entry


def open_archive(
    session: Session,
    course: CourseRow,
    exercises: Sequence[Exercise],
    scope: Scope,
    which: Selection,
    *,
    is_named: bool,
) -> Archive:
    """Return the archive of a course's code for some exercises; one query."""
    handins = chosen(list_handins(session, course, exercises, scope), which)
    return Archive(zone_of(course), handins, is_named, len(exercises) > 1)


def list_handins(session: Session, course: CourseRow, exercises: Sequence[Exercise], scope: Scope) -> list[Handin]:
    """Return all code that can be read, by exercise, name, account and attempt; without the sources."""
    rows = session.connection().execute(_handins(course, exercises, scope))
    handins = [Handin(*row) for row in rows]
    return sorted(handins, key=lambda each: (each.exercise, each.name.casefold(), each.account_id, each.attempt))


def chosen(handins: Sequence[Handin], which: Selection) -> list[Handin]:
    """Return which of the submissions are meant, in their order."""
    if which is Selection.ALL:
        return list(handins)
    kept: dict[tuple[str, int], Handin] = {}
    for each in handins:
        old = kept.get((each.exercise, each.account_id))
        if old is None or which is Selection.LAST or (each.passed or 0) > (old.passed or 0):
            kept[each.exercise, each.account_id] = each
    return list(kept.values())


def read_bodies(database: Database, submission_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the sources of some submissions, by id, in a transaction of its own."""
    bodies = select(col(SubmissionRow.id), col(SubmissionRow.body)).where(col(SubmissionRow.id).in_(submission_ids))
    with database.reading() as session:
        return {id: body for id, body in session.connection().execute(bodies)}  # noqa: C416  # rows are no pairs


def _handins(
    course: CourseRow, exercises: Sequence[Exercise], scope: Scope
) -> Select[int, str, int, str, str | None, int, str | None, datetime, int | None]:
    slugs = [each.slug for each in exercises]
    newest = newest_grades(course, slugs)
    return (
        select(
            col(SubmissionRow.id),
            col(SubmissionRow.exercise),
            col(SubmissionRow.account_id),
            col(AccountRow.name),
            col(SeatRow.section),
            col(SubmissionRow.attempt),
            col(SubmissionRow.filename),
            col(SubmissionRow.created_at),
            col(GradeRow.passed),
        )
        .join(AccountRow, col(AccountRow.id) == SubmissionRow.account_id)
        .join(
            SeatRow,
            and_(
                col(SeatRow.course_id) == SubmissionRow.course_id, col(SeatRow.account_id) == SubmissionRow.account_id
            ),
        )
        .outerjoin(newest, newest.c.submission_id == SubmissionRow.id)
        .outerjoin(GradeRow, col(GradeRow.id) == newest.c.grade_id)
        .where(
            in_scope(course, scope),
            col(SubmissionRow.exercise).in_(slugs),
            col(SubmissionRow.kind) == AnswerKind.CODE,
            col(SubmissionRow.emptied_at).is_(None),
        )
    )


def _plain(text: str) -> str:
    """Return a part of a path: letters, digits, _ and - alone, so that no archive tool is led elsewhere."""
    words = UNSAFE.sub("_", unicodedata.normalize("NFKC", text)).strip("_")
    return words[:STEM_LENGTH_MAX] or "solution"


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in groups of a size."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
