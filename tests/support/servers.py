"""A server in the process of the tests, its callers, and a sandbox that runs code in this process."""

from __future__ import annotations

import asyncio
import codecs
import csv
import io
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import CodeType
from typing import Any

import httpx2 as httpx
import safetensors.torch
import torch
from sqlmodel import Session, col, select
from starlette.testclient import TestClient
from starlette.types import Message
from torch import Tensor

from exercises.registry import find
from exercises.tape import variables
from grader.answer import normalise
from grader.descent import compiled, descend
from grader.sandbox import Job, Loop, Run, RunStatus, Sandbox
from grader.sandbox.trusted.doctor import Report
from grader.supervision import ThreadStatus
from server.courses import courses, join_codes
from server.database.engine import Database
from server.database.table import now
from server.grading.code_runner import CodeRunner
from server.queue.timing import Timing
from server.services import ServerServices
from server.tables import ComparisonRow, CourseRow, GradeRow, RegradeRow, Role, SeatRow, SubmissionRow

FULL = "makemore/full-backward"
COURSE = "backprop"
EXERCISES = f"/api/v1/courses/{COURSE}/exercises"
SAFETENSORS = "application/vnd.safetensors"
SOLUTION = find(FULL).solution
PATIENCE_SECONDS = 60.0  # how long a test waits for what must come, on a busy machine; only a failing one waits so long
HOLD_SECONDS = 2 * PATIENCE_SECONDS  # what a test holds back goes on by itself after this, so that a failing one ends
IMPATIENT = Timing(retry_seconds=0, look_again_seconds=0.05, inspect_again_seconds=0.05)  # tries again at once


def _played(code: CodeType, state: dict[str, Any]) -> dict[str, Any]:
    names = {"torch": torch, "F": torch.nn.functional, **state}
    exec(code, names)
    return names


class FakeSandbox(Sandbox):
    """Runs code in this process, without any lock.

    ``before`` is called with each job, and may raise or wait. ``message`` is what every run stops with, if it is set.
    ``seconds`` says how long a job would take; one that may not take as long has the verdict of that.
    """

    def __init__(self) -> None:
        self.generation_now = 1
        self.before: Callable[[Job], None] = lambda job: None
        self.seconds: Callable[[Job], float] = lambda job: 0.0
        self.message: str | None = None
        self.jobs: list[Job] = []

    def run(self, job: Job) -> Run:
        """Run a job that a test wrote."""
        self.jobs.append(job)
        self.before(job)
        if self.seconds(job) > job.limits.wall_seconds:
            return Run(RunStatus.TIME_LIMIT, "too long", "", {}, (), job.limits.wall_seconds)
        if job.loop is not None:
            return replace(self._descend(job, job.loop), seconds=max(0.001, self.seconds(job)))
        printed, status, message = io.StringIO(), RunStatus.OK, ""
        # A print of its own: redirected, sys.stdout would be that of every thread, so of a command beside this one too.
        names = play(job.state) | {"print": partial(print, file=printed)}
        try:
            exec(compile(job.source, job.filename, "exec"), names)
        except Exception as error:
            status, message = RunStatus.ERROR, str(error)
        if self.message is not None:
            status, message = RunStatus.ERROR, self.message
        if "backward" in names:
            names |= names["backward"](play(job.state))
        answers = {slot.name: normalise(names.get("d" + slot.name)) for slot in job.slots}
        return Run(status, message, printed.getvalue(), answers, (), 0.001)

    @staticmethod
    def _descend(job: Job, loop: Loop) -> Run:
        """Take the steps of a chunk with the function ``backward`` of a job's code, or with its statements."""
        state = safetensors.torch.load(job.state)
        parameters = {name: state[name] for name in loop.parameters}
        constants = {name: value for name, value in variables(state).items() if isinstance(value, int)}
        minibatches = zip(state["Xb"], state["Yb"], state["rates"].tolist(), strict=True)
        status, message = RunStatus.OK, ""
        names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
        try:
            code = compile(job.source, job.filename, "exec")
            backward: Callable[[dict[str, Any]], Any] = partial(_played, code)  # statements, as in the lecture's cell
            if "def backward" in job.source:
                exec(code, names)
                backward = names["backward"]
            descend(compiled(loop.forward), parameters, constants, minibatches, backward)
        except Exception as error:
            status, message = RunStatus.ERROR, f"{type(error).__name__}: {error}"
        answers = {slot.name: normalise(parameters[slot.name]) for slot in job.slots}
        return Run(status, message, "", answers, (), 0.001)

    @property
    def generation(self) -> int:
        """As many as a test says."""
        return self.generation_now

    @property
    def threads(self) -> Sequence[ThreadStatus]:
        """There is none."""
        return []

    def close(self) -> None:
        """Nothing was opened."""

    def code_runner(self) -> CodeRunner:
        """A code runner with this sandbox; its doctor finds nothing."""
        return CodeRunner(lambda: self, lambda sandbox: Report(()))


def play(state: bytes) -> dict[str, Any]:
    """The names that a student's code finds."""
    names: dict[str, Any] = {"torch": torch, "F": torch.nn.functional}
    return names | variables(safetensors.torch.load(state))


def gradients(state: bytes) -> dict[str, Tensor]:
    """The right answer on a forward state."""
    names = play(state)
    exec(SOLUTION, names)
    return {each.answer: names[each.answer].clone() for each in find(FULL).checkpoints}


@dataclass
class Student:
    """Somebody with a token."""

    client: TestClient
    token: str
    id: int = 0
    keys: itertools.count[int] = field(default_factory=itertools.count)
    course: str = COURSE

    @property
    def account(self) -> int:
        """The id of the account, as the server says."""
        return int(self.get("/api/v1/me").json()["id"])

    @property
    def address(self) -> str:
        """The address of the course in which this student works."""
        return f"/api/v1/courses/{self.course}"

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET as this account."""
        return self.client.get(path, headers=self._headers(more), **more)

    def submit_code(self, source: str, *, wait: float = 30, exercise: str = FULL, **more: Any) -> httpx.Response:
        """Hand in code."""
        body = {"filename": "solution.py", "source": source}
        address = f"{self.address}/exercises/{exercise}/submissions"
        return self.client.post(address, params={"wait": wait}, json=body, headers=self._headers(more), **more)

    def submit_bytes(self, content: bytes, *, exercise: str = FULL, **more: Any) -> httpx.Response:
        """Hand in what claims to be a safetensors file."""
        headers = {"Content-Type": SAFETENSORS} | self._headers(more)
        address = f"{self.address}/exercises/{exercise}/submissions"
        return self.client.post(address, content=content, headers=headers, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """POST as this account."""
        return self.client.post(path, headers=self._headers(more), **more)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request as this account."""
        return self.client.request(method, path, headers=self._headers(more), **more)

    def submit_stream(self, headers: dict[str, str], chunks: Iterator[bytes]) -> httpx.Response:
        """Hand in a body piece by piece, each read only when the server asks for it."""

        async def receive() -> Message:
            chunk = next(chunks, b"")
            return {"type": "http.request", "body": chunk, "more_body": chunk != b""}

        address = f"{EXERCISES}/{FULL}/submissions"
        return asyncio.run(self._call("POST", address, self._headers({"headers": headers}), receive))

    def follow(self, id: int, at_first_event: Callable[[], None], what: str = "submissions") -> httpx.Response:
        """Read the events of a submission, or of something else, to their end; do something once the first has come."""

        async def stay() -> Message:
            await asyncio.Event().wait()
            raise AssertionError("nobody sets this event")

        address = f"/api/v1/{what}/{id}/events"
        return asyncio.run(self._call("GET", address, self._headers({}), stay, at_first_event))

    async def _call(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        receive: Callable[[], Awaitable[Message]],
        at_first_body: Callable[[], None] = lambda: None,
    ) -> httpx.Response:
        """Call the application itself, without the test client, which would gather the whole body first."""
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        sent: list[Message] = []

        async def send(message: Message) -> None:
            if message.get("body") and not any(earlier.get("body") for earlier in sent):
                at_first_body()
            sent.append(message)

        await self.client.app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent)
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=body)

    def submit_tensors(self, tensors: dict[str, Tensor], **more: Any) -> httpx.Response:
        """Hand in tensors."""
        return self.submit_bytes(safetensors.torch.save(tensors), **more)

    def state(self, exercise: str = FULL) -> bytes:
        """The forward state of this student's instance."""
        return self.get(f"{self.address}/exercises/{exercise}/instance/state").content

    def _headers(self, more: dict[str, Any]) -> dict[str, str]:
        headers: dict[str, str] = more.pop("headers", {})
        return {"Authorization": f"Bearer {self.token}"} | headers


@dataclass(frozen=True)
class Members:
    """A course with an instructor and a student."""

    slug: str
    instructor: Student
    student: Student

    @property
    def address(self) -> str:
        """The address of the course."""
        return f"/api/v1/courses/{self.slug}"


@dataclass
class RunningServer:
    """A running server with a course."""

    client: TestClient
    services: ServerServices
    join_code: str
    instructor_token: str

    def join(self, name: str = "Ada") -> Student:
        """A new student."""
        answer = self.client.post("/api/v1/join", json={"code": self.join_code, "name": name})
        assert answer.status_code == 201, answer.text
        return Student(self.client, answer.json()["token"], answer.json()["student"]["id"])

    @property
    def instructor(self) -> Student:
        """The course's instructor."""
        return Student(self.client, self.instructor_token)

    def grade_again(self, submission_id: int, checkpoint: str, **changes: Any) -> int:
        """Store a grade of an accepted regrade: the newest one's rows, with changes at one checkpoint."""
        with self.services.database.writing() as session:
            newest = select(GradeRow).where(GradeRow.submission_id == submission_id).order_by(col(GradeRow.id).desc())
            grade = session.exec(newest).first()
            assert grade is not None
            rows = session.exec(select(ComparisonRow).where(ComparisonRow.grade_id == grade.id)).all()
            course_id = session.get_one(SubmissionRow, submission_id).course_id
            regrade = RegradeRow(course_id=course_id, accepted_at=now())
            regrade.insert(session)
            new = {"environment": f"{grade.environment} again", "regrade_id": regrade.id}
            again = GradeRow(**grade.model_dump(exclude={"id"}) | new)
            again.insert(session)
            for row in rows:
                values = row.model_dump() | (changes if row.name == checkpoint else {}) | {"grade_id": again.id}
                session.add(ComparisonRow(**values))
        return again.id

    def open_course(self, slug: str) -> Members:
        """A further course with an instructor and a student, who are in no other one."""
        with self.services.database.writing() as session:
            course = courses.open_course(session, slug, slug.title())
            accounts = [courses.enrol(session, course, role.title(), role) for role in (Role.INSTRUCTOR, Role.STUDENT)]
        instructor, student = (
            Student(self.client, account.token, account.account.id, course=slug) for account in accounts
        )
        return Members(slug, instructor, student)

    def seat(self, student: Student, slug: str, role: Role = Role.STUDENT) -> Student:
        """The same account with a seat in a further course, where it works from now on."""
        with self.services.database.writing() as session:
            course = courses.find_course(session, slug)
            assert course is not None
            session.add(SeatRow(course_id=course.id, account_id=student.account, role=role))
        return Student(self.client, student.token, student.id, course=slug)


def open_regrade(session: Session, course_id: int = 1) -> int:
    """Open a regrade of a course, and return its id."""
    regrade = RegradeRow(course_id=course_id)
    regrade.insert(session)
    return regrade.id


def join_code_of(session: Session, course: CourseRow) -> str:
    """The join code to show to a class."""
    code = join_codes.find_current(session, course)
    assert code is not None
    return code.code


def eventually(what: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def waits_for_a_lock(database: Database) -> bool:
    """Whether somebody on this PostgreSQL database waits for somebody else."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with database.reading() as session:
        return bool(session.connection().exec_driver_sql(waiting).scalar_one())


def csv_lines(answer: httpx.Response) -> list[dict[str, str]]:
    """Read a CSV for people. A spreadsheet knows its encoding by the byte order mark."""
    assert answer.content.startswith(codecs.BOM_UTF8), answer.text
    return list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))


def is_problem(answer: httpx.Response, status: int) -> bool:
    """Whether an answer is a problem of this status that says what to do next."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) - {"message"} == {"type", "title", "status", "detail"}
    assert body["detail"].startswith(body.get("message", ""))
    assert body["status"] == status
    return bool(body["detail"].endswith("."))
