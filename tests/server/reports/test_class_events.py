"""The class, live: what is told, to whom, and after which look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from starlette.concurrency import run_in_threadpool

from exercises.registry import find
from server.courses import courses
from server.courses.access import UnknownCourse
from server.database.engine import Database
from server.database.table import now
from server.reports.class_events import (
    STREAMS_MAX,
    Begin,
    ClassEvents,
    Event,
    Position,
    TooManyClassStreams,
    Watch,
    read_position,
)
from server.reports.live_rows import LiveRow
from server.tables import CourseRow, GradeRow, ProgressRow, RegradeRow, Role, SeatRow, SubmissionRow
from tests.support.servers import FULL, RunningServer, Student, gradients, is_problem

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
SECONDS = 20.0  # after which a test gives up

Told = tuple[Event, Sequence[LiveRow], str]


class CountedEvents(ClassEvents):
    """Looks all the time, and counts the looks."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, look_seconds=0.01)
        self.looks = 0

    def _look(self, *asked: Any) -> Any:
        self.looks += 1
        return super()._look(*asked)

    async def look_again(self) -> None:
        """Wait until two looks have begun: the first of them may have begun before what is to be seen."""
        wanted = self.looks + 2
        async with asyncio.timeout(SECONDS):
            while self.looks < wanted:
                await asyncio.sleep(0.001)


@pytest.fixture
def events(server: RunningServer) -> CountedEvents:
    return CountedEvents(server.services.database)


def watch_of(server: RunningServer, section: str | None = None, account_id: int = 1) -> Watch:
    with server.services.database.reading() as session:
        return Watch(account_id, session.get_one(CourseRow, 1), (find(FULL),), section)


def right(student: Student, *names: str) -> dict[str, Any]:
    found = gradients(student.state())
    return {name: found[name] for name in names}


async def told(stream: AsyncIterator[Told]) -> Told:
    return await asyncio.wait_for(anext(stream), SECONDS)


def verdicts(row: LiveRow) -> dict[str, str]:
    names = [each.name for each in find(FULL).checkpoints]
    return {name: cell.best for name, cell in zip(names, row.cells, strict=True) if cell}


def follow_while(events: CountedEvents, watch: Watch, act: Callable[[], object], begin: Begin | None = None) -> Told:
    """Return what is told first after something was done."""

    async def follow() -> Told:
        stream = events.follow(watch, lambda: watch, begin or Begin())
        assert (await told(stream))[0] is Event.POSITION
        await events.look_again()
        await run_in_threadpool(act)
        found = await told(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    return asyncio.run(follow())


def test_a_grade_is_told_with_the_whole_row(server: RunningServer, events: CountedEvents, student: Student) -> None:
    student.submit_tensors(right(student, "dlogprobs"))

    event, rows, _ = follow_while(events, watch_of(server), lambda: student.submit_tensors(right(student, "dprobs")))

    assert event is Event.STUDENT
    assert [row.standing.name for row in rows] == ["Ada"]
    assert verdicts(rows[0]) == {"logprobs": "exact", "probs": "exact"}
    assert (rows[0].standing.passed, rows[0].standing.submissions) == (2, 2)


def test_an_accepted_regrade_is_told(server: RunningServer, events: CountedEvents, student: Student) -> None:
    id = student.submit_tensors(right(student, "dlogprobs")).json()["id"]
    with server.services.database.writing() as session:
        session.add(SubmissionRow(**_of_another(session.get_one(SubmissionRow, id))))  # so that numbers went on
        regrade = RegradeRow(course_id=1)
        regrade.insert(session)
        grade = session.get_one(GradeRow, 1).model_dump(exclude={"id"})
        GradeRow(**grade | {"environment": "other", "regrade_id": regrade.id, "counts": False}).insert(session)

    def accept() -> None:
        with server.services.database.writing() as session:
            session.get_one(RegradeRow, regrade.id).accepted_at = now()
            session.get_one(GradeRow, 2).counts = True
            session.get_one(ProgressRow, (1, student.id, FULL, "logprobs")).best = "approximate"

    _, rows, _ = follow_while(events, watch_of(server), accept)

    assert verdicts(rows[0]) == {"logprobs": "approximate"}


def _of_another(submission: SubmissionRow) -> dict[str, Any]:
    return submission.model_dump(exclude={"id", "attempt", "idempotency_key"}) | {"attempt": 9}


@on_sqlite
def test_a_grade_that_shows_late_is_told(server: RunningServer, events: CountedEvents, student: Student) -> None:
    """On PostgreSQL a transaction may commit after one whose grade has a greater number."""
    ids = [student.submit_tensors(right(student, "dlogprobs")).json()["id"] for _ in range(2)]
    with server.services.database.writing() as session:
        late = session.get_one(GradeRow, 1)
        late.submission_id, late.counts = ids[0], False

    def commit() -> None:
        with server.services.database.writing() as session:
            session.get_one(GradeRow, 1).counts = True

    event, rows, _ = follow_while(events, watch_of(server), commit)

    assert (event, [row.standing.id for row in rows]) == (Event.STUDENT, [student.id])


@on_sqlite
def test_a_stream_goes_on_after_an_event(server: RunningServer, events: CountedEvents, student: Student) -> None:
    with server.services.database.reading() as session:
        before = read_position(session)
    student.submit_tensors(right(student, "dlogprobs"))

    async def follow(after: Position) -> list[Told]:
        stream = events.follow(watch_of(server), lambda: watch_of(server), Begin(after))
        return [await told(stream), await told(stream)]

    (begun, _, _), (event, rows, id) = asyncio.run(follow(before))

    assert (begun, event) == (Event.POSITION, Event.STUDENT)
    assert verdicts(rows[0]) == {"logprobs": "exact"}
    assert Position.read(id).grade_id == 1


@on_sqlite
def test_an_assistant_is_told_of_their_section(server: RunningServer, events: CountedEvents) -> None:
    ada, ben = server.join("Ada"), server.join("Ben")
    with server.services.database.writing() as session:
        session.get_one(SeatRow, (1, ben.id)).section = "B"

    def hand_in() -> None:
        for student in (ada, ben):
            student.submit_tensors(right(student, "dlogprobs"))

    _, rows, _ = follow_while(events, watch_of(server, section="B"), hand_in)

    assert [row.standing.name for row in rows] == ["Ben"]


@on_sqlite
def test_who_may_look_no_longer_is_told_nothing(server: RunningServer, events: CountedEvents, student: Student) -> None:
    watch, refused = watch_of(server), False

    def read_watch() -> Watch:
        if refused:
            raise UnknownCourse("no seat")
        return watch

    async def follow() -> list[Told]:
        nonlocal refused
        stream = events.follow(watch, read_watch)
        await told(stream)
        await events.look_again()
        refused = True
        await run_in_threadpool(student.submit_tensors, right(student, "dlogprobs"))
        return [each async for each in stream]

    assert [(event, list(rows)) for event, rows, _ in asyncio.run(follow())] == [(Event.END, [])]


@on_sqlite
def test_one_look_serves_all_and_a_person_has_a_few(server: RunningServer, events: CountedEvents) -> None:
    watch = watch_of(server, account_id=5)

    async def follow() -> int:
        streams = [events.follow(watch, lambda: watch) for _ in range(STREAMS_MAX)]
        for each in streams:
            events.require_room(5)
            await told(each)
        with pytest.raises(TooManyClassStreams):
            events.require_room(5)
        events.require_room(6)
        looking = [each for each in asyncio.all_tasks() if "_look_on" in repr(each)]
        for each in streams:
            await each.aclose()  # type: ignore[attr-defined]
        events.require_room(5)
        await asyncio.wait_for(asyncio.gather(*looking), SECONDS)  # nobody looks when nobody looks on
        return len(looking)

    assert asyncio.run(follow()) == 1


@on_sqlite
def test_the_route_sends_events(server: RunningServer, student: Student) -> None:
    address = "/api/v1/courses/backprop/events"
    with server.services.database.reading() as session:
        before = read_position(session)
    student.submit_tensors(right(student, "dlogprobs"))

    answer = server.instructor.get(address, params={"seconds": 1}, headers={"Last-Event-ID": str(before)})

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.index("event: position") < answer.text.index("event: student")
    assert '"name":"Ada"' in answer.text and '"best":"exact"' in answer.text
    assert is_problem(server.instructor.get(address, params={"after": "yesterday", "seconds": 0}), 422)
    assert is_problem(student.get(address), 403)


@on_sqlite
def test_sections_of_assistants_are_respected(server: RunningServer) -> None:
    with server.services.database.writing() as session:
        course = session.get_one(CourseRow, 1)
        assistant = courses.enrol(session, course, "Tove", Role.ASSISTANT, "B")
    caller = Student(server.client, assistant.token)

    assert is_problem(caller.get("/api/v1/courses/backprop/events", params={"section": "A", "seconds": 0}), 403)
    assert caller.get("/api/v1/courses/backprop/events", params={"seconds": 0}).status_code == 200
