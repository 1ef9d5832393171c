"""Instances: one for each student, exercise, revision and kind, and always the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import select

from exercises.catalog import find
from exercises.exercise import Exercise
from exercises.instance import Kind
from exercises.names import Names, load
from server import courses
from server.db import Database
from server.instances import Instances, SpoiltInstance
from server.models import ExerciseRevision, InstanceRecord, Role
from tests.server.house import FULL

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

SECRET = b"0123456789abcdef" * 4
FIRST, OTHER = find(FULL), find("makemore/cross-entropy")
SECOND = replace(FIRST, revision=2)


@pytest.fixture(scope="module")
def names() -> Names:
    """What instances are drawn from."""
    return load()


@pytest.fixture
def students(database: Database) -> tuple[int, int]:
    """Two students, and the revisions that they work on."""
    with database.writing() as session:
        for exercise in (FIRST, SECOND, OTHER):
            session.add(ExerciseRevision(slug=exercise.slug, revision=exercise.revision))
        course = courses.open_course(session, "autumn", "Autumn")
        ada, bob = (courses.enrol(session, course, name, Role.STUDENT).student.id for name in ("Ada", "Bob"))
    return ada, bob


def all_of(ada: int, bob: int) -> list[tuple[int, Exercise, Kind]]:
    """Places that differ from the first in one thing each."""
    return [
        (ada, FIRST, Kind.STUDENT),
        (bob, FIRST, Kind.STUDENT),
        (ada, OTHER, Kind.STUDENT),
        (ada, SECOND, Kind.STUDENT),
        (ada, FIRST, Kind.HIDDEN),
    ]


def test_each_place_has_an_instance_of_its_own_and_keeps_it(
    database: Database, names: Names, students: tuple[int, int]
) -> None:
    places = all_of(*students)
    drawn = [Instances(database, SECRET, names).get(*place) for place in places]

    again = [Instances(database, SECRET, names).get(*place) for place in places]  # as after a restart

    assert len({held.id for held in drawn}) == len({held.instance.digest for held in drawn}) == len(places)
    assert [held.id for held in again] == [held.id for held in drawn]
    assert [held.instance.state for held in again] == [held.instance.state for held in drawn]
    assert [(held.instance.kind, held.instance.exercise.revision) for held in again] == [
        (kind, exercise.revision) for _, exercise, kind in places
    ]


def test_no_two_places_share_a_seed(database: Database, names: Names) -> None:
    instances = Instances(database, SECRET, names)

    seeds = {instances._seed(kind, student, exercise) for student, exercise, kind in all_of(1, 2)}

    assert len(seeds) == len(all_of(1, 2))


def test_who_draws_second_gets_what_the_first_has_kept(
    database: Database, names: Names, students: tuple[int, int]
) -> None:
    first = Instances(database, SECRET, names).draw(students[0], FIRST, Kind.STUDENT)

    second = Instances(database, b"another secret", names).draw(students[0], FIRST, Kind.STUDENT)

    assert (second.id, second.instance.digest) == (first.id, first.instance.digest)


def test_the_row_says_what_the_instance_is(database: Database, names: Names, students: tuple[int, int]) -> None:
    held = Instances(database, SECRET, names).get(students[0], FIRST, Kind.HIDDEN)

    with database.reading() as session:
        row = session.exec(select(InstanceRecord)).one()
    assert (row.id, row.student_id, row.exercise, row.revision) == (held.id, students[0], FULL, 1)
    assert (row.kind, row.dataset, row.digest) == ("hidden", held.instance.dataset, held.instance.digest)
    assert row.state == held.instance.state


def test_a_row_with_another_digest_is_spoilt(database: Database, names: Names, students: tuple[int, int]) -> None:
    Instances(database, SECRET, names).get(students[0], FIRST, Kind.STUDENT)
    with database.writing() as session:
        session.exec(select(InstanceRecord)).one().digest = "0" * 64

    with pytest.raises(SpoiltInstance):
        Instances(database, SECRET, names).get(students[0], FIRST, Kind.STUDENT)
