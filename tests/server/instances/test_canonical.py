"""The canonical instance: one row for each revision, whoever asks first, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlmodel import select

from exercises.instance import Instance, Kind
from exercises.registry import find
from server.assignments.assignment import Assignment
from server.database.engine import Database
from server.instances import choice
from server.instances.exercises import record_revisions
from server.instances.store import InstanceStore
from server.tables import AnswerKind, CourseRow, InstanceRow, Numbers
from tests.support.servers import FULL, PATIENCE_SECONDS

EXERCISE = find(FULL)
SECRET = b"0123456789abcdef" * 4


def test_two_processes_that_ask_at_once_store_it_once(database: Database) -> None:
    record_revisions(database)
    both = Barrier(2)

    def ask(account_id: int) -> tuple[int, str]:
        store = InstanceStore(database, SECRET)  # as in a process of its own
        with database.reading() as session:
            assert store.find(session, None, EXERCISE, Kind.CANONICAL) is None
        both.wait(PATIENCE_SECONDS)
        stored = store.draw(None, EXERCISE, Kind.CANONICAL)
        return stored.id, store.get(account_id, EXERCISE, Kind.CANONICAL).instance.digest

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(ask, (1, 2)))

    with database.reading() as session:
        (row,) = session.exec(select(InstanceRow)).all()
    assert answers == [(row.id, Instance.canonical(EXERCISE).digest)] * 2
    assert (row.account_id, row.kind) == (None, "canonical")


@pytest.mark.parametrize(
    ("numbers", "on_hidden_numbers", "expected"),
    [
        (Numbers.STUDENT, True, (Kind.STUDENT, Kind.STUDENT, Kind.HIDDEN)),
        (Numbers.STUDENT, False, (Kind.STUDENT, Kind.STUDENT, Kind.STUDENT)),
        (Numbers.CANONICAL, True, (Kind.CANONICAL, Kind.CANONICAL, Kind.HIDDEN)),
        (Numbers.CANONICAL, False, (Kind.CANONICAL, Kind.CANONICAL, Kind.CANONICAL)),
    ],
)
def test_an_assignment_says_which_instance_is_whose(
    numbers: Numbers, on_hidden_numbers: bool, expected: tuple[Kind, Kind, Kind]
) -> None:
    course = CourseRow(id=1, slug="autumn", title="Autumn")
    practice = Assignment.open_practice(course, FULL)
    assignment = Assignment(**vars(practice) | {"numbers": numbers, "on_hidden_numbers": on_hidden_numbers})

    tensors, code = (choice.graded_on(assignment, kind) for kind in (AnswerKind.TENSORS, AnswerKind.CODE))

    assert (choice.handed_out(assignment), tensors, code) == expected
