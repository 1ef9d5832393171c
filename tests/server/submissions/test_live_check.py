"""Live checks: graded as a submission is, and nothing kept."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import httpx2
import pytest
import safetensors.torch
from sqlmodel import func, select
from starlette.datastructures import State
from torch import Tensor

from exercises.registry import find
from grader.sandbox import Job, SandboxFault
from server.accounts.signin import Credentials
from server.courses.access import CourseAccess
from server.courses.last_seen import LastSeen
from server.courses.roles import Permission
from server.submissions.accept import HandedIn
from server.submissions.live_check import ACCOUNTS_MAX, CallerGone, CheckPace, Room
from server.submissions.rate_limit import TooFast
from server.tables import AnswerKind, GradeRow, ProgressRow, SubmissionRow, TicketRow
from tests.support.servers import (
    COURSE,
    EXERCISES,
    FULL,
    SAFETENSORS,
    SOLUTION,
    FakeSandbox,
    RunningServer,
    Student,
    eventually,
    gradients,
    is_problem,
)

CHECK = f"{EXERCISES}/{FULL}/check"
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def check_tensors(student: Student, tensors: dict[str, Tensor]) -> httpx2.Response:
    content = safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()})
    return student.post(CHECK, content=content, headers={"Content-Type": SAFETENSORS})


def check_code(student: Student, source: str) -> httpx2.Response:
    return student.post(CHECK, json={"filename": "solution.py", "source": source})


def rows_of(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in body["checkpoints"]}


def kept(server: RunningServer) -> list[int]:
    with server.services.database.reading() as session:
        tables = (SubmissionRow, GradeRow, TicketRow, ProgressRow)
        return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


def scaled_below(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """A factor of 2 in dhpreact, and what the right lines below make of it in dbngain."""
    return {"dbngain": 2 * tensors["dbngain"], "context.dhpreact": 2 * tensors["dhpreact"]}


def test_tensors_are_graded_as_a_submission_and_not_kept(server: RunningServer, student: Student) -> None:
    wrong = gradients(student.state()) | {"dh": 2 * gradients(student.state())["dh"]}

    checked = check_tensors(student, wrong)

    assert checked.status_code == 200
    assert kept(server) == [0, 0, 0, 0]
    submitted = student.submit_tensors(wrong).json()["grade"]
    assert {**checked.json(), "graded_at": None} == {**submitted, "graded_at": None}
    assert rows_of(checked.json())["h"]["origin"] == "own"


def test_code_is_graded_on_the_students_own_numbers_and_not_kept(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox
) -> None:
    checked = check_code(student, "print('hello')\n" + SOLUTION)

    assert checked.status_code == 200
    assert checked.json()["exact"] == 26
    assert checked.json()["run"] == {"status": "ok", "message": "", "stdout": "hello\n", "hidden": False}
    assert fake_sandbox.jobs[-1].state == student.state()
    assert kept(server) == [0, 0, 0, 0]


@on_sqlite
def test_context_tells_inherited_from_own(student: Student) -> None:
    tensors = scaled_below(gradients(student.state()))

    row = rows_of(check_tensors(student, tensors).json())["bngain"]
    alone = rows_of(check_tensors(student, {"dbngain": tensors["dbngain"]}).json())["bngain"]

    assert row["origin"] == "inherited" and row["diagnosis"] == []
    assert alone["origin"] == "unknown" and alone["diagnosis"] == []
    assert "in dhpreact, which you did not hand in, or above" in alone["notes"][0]


@on_sqlite
def test_a_bad_body_and_a_bad_type_are_refused(student: Student) -> None:
    assert is_problem(student.post(CHECK, content=b"x", headers={"Content-Type": SAFETENSORS}), 422)
    assert is_problem(student.post(CHECK, content=b"x", headers={"Content-Type": "text/plain"}), 415)


@on_sqlite
def test_code_waits_for_submissions_and_is_refused_when_that_takes_long(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox
) -> None:
    server.services.dispatcher.stop()
    runs = len(fake_sandbox.jobs)
    server.client.app.state.live_checks = dataclasses.replace(  # type: ignore[attr-defined]
        server.services.live_checks, room=Room(runs=1, wait_seconds=0.05, look_seconds=0.01)
    )
    waiting = student.submit_code("dlogits = 1", wait=0).json()["id"]

    refused = check_code(student, SOLUTION)

    assert is_problem(refused, 503)
    assert refused.headers["Retry-After"] == "5"
    assert len(fake_sandbox.jobs) == runs
    student.post(f"/api/v1/submissions/{waiting}/cancel")
    assert check_code(student, SOLUTION).status_code == 200


@on_sqlite
def test_a_server_without_a_sandbox_checks_tensors_only(server: RunningServer, student: Student) -> None:
    server.client.app.state.live_checks = dataclasses.replace(  # type: ignore[attr-defined]
        server.services.live_checks, room=Room(runs=None)
    )

    refused = check_code(student, SOLUTION)

    assert is_problem(refused, 503)
    assert "runs no code itself" in refused.json()["detail"]
    assert check_tensors(student, gradients(student.state())).status_code == 200


@on_sqlite
def test_a_lost_check_is_no_verdict(student: Student, fake_sandbox: FakeSandbox) -> None:
    def lost(_: Job) -> None:
        raise SandboxFault("the zygote died")

    fake_sandbox.before = lost

    refused = check_code(student, SOLUTION)

    assert is_problem(refused, 503)
    assert "through no fault of the code" in refused.json()["detail"]


@on_sqlite
def test_the_pace_of_checks_is_limited(server: RunningServer, student: Student) -> None:
    server.client.app.state.live_checks = dataclasses.replace(  # type: ignore[attr-defined]
        server.services.live_checks, pace=CheckPace(1)
    )
    tensors = {"dlogits": gradients(student.state())["dlogits"]}
    assert check_tensors(student, tensors).status_code == 200

    refused = check_tensors(student, tensors)

    assert is_problem(refused, 429)
    assert int(refused.headers["Retry-After"]) in range(50, 61)
    assert check_tensors(server.join("Bob"), tensors).status_code == 200


@on_sqlite
def test_context_is_no_attempt_and_a_regrade_reads_it(server: RunningServer, student: Student) -> None:
    submitted = student.submit_tensors(scaled_below(gradients(student.state()))).json()

    assert rows_of(submitted["grade"])["bngain"]["origin"] == "inherited"
    assert rows_of(submitted["grade"])["hpreact"]["verdict"] == "missing"
    with server.services.database.reading() as session:
        assert [(row.checkpoint, row.attempts) for row in session.exec(select(ProgressRow))] == [("bngain", 1)]
    with server.services.database.writing() as session:
        session.exec(select(GradeRow)).one().environment = "another"
    regrade = f"{student.address}/regrade"
    begun = server.instructor.post(regrade).json()
    assert eventually(lambda: server.instructor.get(regrade).json()["waiting"] == 0)
    assert server.instructor.post(f"{regrade}/{begun['id']}/accept").status_code == 200
    again = student.get(f"/api/v1/submissions/{submitted['id']}").json()["grade"]
    assert again["environment"] != "another"
    assert again["checkpoints"] == submitted["grade"]["checkpoints"]


class TestPace:
    def test_a_minute_later_there_is_room_again(self) -> None:
        moments = iter([0.0, 10.0, 59.5, 60.0])
        pace = CheckPace(2, lambda: next(moments))
        pace.count(1)
        pace.count(1)

        with pytest.raises(TooFast) as refused:
            pace.count(1)
        assert refused.value.headers == {"Retry-After": "1"}
        pace.count(1)

    def test_no_limit_counts_nobody(self) -> None:
        def never() -> float:
            raise AssertionError("the clock was read")

        CheckPace(0, never).count(1)

    def test_accounts_that_stay_away_are_forgotten(self) -> None:
        pace = CheckPace(1, lambda: 0.0)
        for account_id in range(ACCOUNTS_MAX + 1):
            pace.count(account_id)

        pace.count(0)
        with pytest.raises(TooFast):
            pace.count(ACCOUNTS_MAX)


@on_sqlite
def test_a_check_that_nobody_waits_for_does_not_run(
    server: RunningServer, student: Student, fake_sandbox: FakeSandbox
) -> None:
    live_checks = server.services.live_checks
    asked = Credentials(server.services.database, student.token, State())
    access = CourseAccess(asked, COURSE, Permission.HAND_IN, LastSeen(server.services.database))

    async def is_gone() -> bool:
        return True

    answer = HandedIn(find(FULL), AnswerKind.CODE, SOLUTION.encode(), "solution.py")
    with pytest.raises(CallerGone):
        asyncio.run(live_checks.check_code(access, answer, is_gone=is_gone))

    assert SOLUTION not in [job.source for job in fake_sandbox.jobs]
