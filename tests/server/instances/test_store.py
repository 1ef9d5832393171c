"""Instances: one for each student, exercise, revision and kind, and always the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import select

from exercises.exercise import Exercise
from exercises.instance import Kind
from exercises.registry import find
from server.courses import courses
from server.database.engine import Database
from server.instances.store import CorruptInstance, InstanceStore
from server.tables import ExerciseRevisionRow, InstanceRow, Role
from tests.support.servers import FULL

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

SECRET = b"0123456789abcdef" * 4
FIRST, OTHER = find(FULL), find("makemore/cross-entropy")
SECOND = replace(FIRST, revision=2)


@pytest.fixture
def students(database: Database) -> tuple[int, int]:
    """Two students, and the revisions that they work on."""
    with database.writing() as session:
        for exercise in (FIRST, SECOND, OTHER):
            session.add(ExerciseRevisionRow(slug=exercise.slug, revision=exercise.revision))
        course = courses.open_course(session, "autumn", "Autumn")
        student, bob = (courses.enrol(session, course, name, Role.STUDENT).account.id for name in ("Ada", "Bob"))
    return student, bob


def all_of(student: int, bob: int) -> list[tuple[int, Exercise, Kind]]:
    """Places that differ from the first in one thing each."""
    return [
        (student, FIRST, Kind.STUDENT),
        (bob, FIRST, Kind.STUDENT),
        (student, OTHER, Kind.STUDENT),
        (student, SECOND, Kind.STUDENT),
        (student, FIRST, Kind.HIDDEN),
    ]


def test_an_instance_is_read_once_while_there_is_room(database: Database, students: tuple[int, int]) -> None:
    exercise = FIRST
    roomy, narrow = InstanceStore(database, SECRET), InstanceStore(database, SECRET, bytes_max=1)

    for store in (roomy, narrow):
        first, again = (store.get(students[0], exercise, Kind.STUDENT) for _ in range(2))
        by_id, by_id_again = (store.load(first.id, exercise) for _ in range(2))

        assert (first is again, by_id is by_id_again) == (store is roomy, store is roomy)
        assert first.instance == again.instance


def test_each_place_has_an_instance_of_its_own_and_keeps_it(database: Database, students: tuple[int, int]) -> None:
    places = all_of(*students)
    drawn = [InstanceStore(database, SECRET).get(*place) for place in places]

    again = [InstanceStore(database, SECRET).get(*place) for place in places]  # as after a restart

    assert len({held.id for held in drawn}) == len({held.instance.digest for held in drawn}) == len(places)
    assert [held.id for held in again] == [held.id for held in drawn]
    assert [held.instance.state for held in again] == [held.instance.state for held in drawn]
    assert [(held.instance.kind, held.instance.exercise.revision) for held in again] == [
        (kind, exercise.revision) for _, exercise, kind in places
    ]


def test_no_two_places_share_a_seed(database: Database) -> None:
    instances = InstanceStore(database, SECRET)

    seeds = {instances.seed(kind, student, exercise) for student, exercise, kind in all_of(1, 2)}

    assert len(seeds) == len(all_of(1, 2))


def test_who_draws_second_gets_what_the_first_has_kept(database: Database, students: tuple[int, int]) -> None:
    first = InstanceStore(database, SECRET).draw(students[0], FIRST, Kind.STUDENT)

    second = InstanceStore(database, b"another secret").draw(students[0], FIRST, Kind.STUDENT)

    assert (second.id, second.instance.digest) == (first.id, first.instance.digest)


def test_the_row_says_what_the_instance_is(database: Database, students: tuple[int, int]) -> None:
    held = InstanceStore(database, SECRET).get(students[0], FIRST, Kind.HIDDEN)

    with database.reading() as session:
        row = session.exec(select(InstanceRow)).one()
    assert (row.id, row.account_id, row.exercise, row.revision) == (held.id, students[0], FULL, 1)
    assert (row.kind, row.dataset, row.digest) == ("hidden", held.instance.dataset, held.instance.digest)
    assert row.state == held.instance.state


def test_a_row_with_another_digest_is_spoilt(database: Database, students: tuple[int, int]) -> None:
    InstanceStore(database, SECRET).get(students[0], FIRST, Kind.STUDENT)
    with database.writing() as session:
        session.exec(select(InstanceRow)).one().digest = "0" * 64

    with pytest.raises(CorruptInstance):
        InstanceStore(database, SECRET).get(students[0], FIRST, Kind.STUDENT)
