"""Signing in on another machine with a one-time code."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlmodel import select

from server.accounts import accounts, tokens
from server.database.table import now
from server.pairing.codes import LIFETIME
from server.tables import PairingCodeRow, TokenRow
from tests.support.servers import RunningServer, Student, is_problem


def new_code(student: Student) -> str:
    answer = student.post("/api/v1/pairing-codes")
    assert answer.status_code == 201
    return str(answer.json()["code"])


def pair(server: RunningServer, code: str) -> Student:
    answer = server.client.post("/api/v1/pair", json={"code": code})
    assert answer.status_code == 201, answer.text
    return Student(server.client, answer.json()["token"])


def test_a_code_signs_in_to_the_same_account(server: RunningServer, student: Student) -> None:
    answer = server.client.post("/api/v1/pair", json={"code": new_code(student)})

    paired = answer.json()
    token = paired.pop("token")
    assert paired == {
        "student": {"id": student.id, "name": "Ada"},
        "courses": [{"slug": "backprop", "title": "Becoming a backprop ninja", "role": "student"}],
    }
    assert token != student.token
    assert Student(server.client, token).account == student.id
    assert student.account == student.id


def test_a_code_lives_for_ten_minutes(server: RunningServer, student: Student) -> None:
    before = now()
    answer = student.post("/api/v1/pairing-codes").json()

    expires_at = datetime.fromisoformat(answer["expires_at"])
    assert timedelta(minutes=10) == LIFETIME
    assert before + LIFETIME <= expires_at <= now() + LIFETIME


def test_a_code_may_be_typed_in_any_way(server: RunningServer, student: Student) -> None:
    assert pair(server, new_code(student).lower().replace("-", "  ")).account == student.id


def test_a_code_is_used_once(server: RunningServer, student: Student) -> None:
    code = new_code(student)
    pair(server, code)

    assert is_problem(server.client.post("/api/v1/pair", json={"code": code}), 404)


def test_of_two_requests_with_one_code_one_gets_in(server: RunningServer, student: Student) -> None:
    code, start = new_code(student), threading.Barrier(2)

    def attempt(_: int) -> int:
        start.wait()
        return server.client.post("/api/v1/pair", json={"code": code}).status_code

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(attempt, range(2))) == [201, 404]


def test_a_new_code_replaces_the_one_before(server: RunningServer, student: Student) -> None:
    first, second = new_code(student), new_code(student)

    assert is_problem(server.client.post("/api/v1/pair", json={"code": first}), 404)
    assert pair(server, second).account == student.id


def test_codes_made_at_once_leave_one(server: RunningServer, student: Student) -> None:
    start = threading.Barrier(4)

    def make(_: int) -> str:
        start.wait()
        return new_code(student)

    with ThreadPoolExecutor(4) as threads:
        codes = list(threads.map(make, range(4)))

    answers = [server.client.post("/api/v1/pair", json={"code": code}).status_code for code in codes]
    assert sorted(answers) == [201, 404, 404, 404]


def test_codes_of_two_accounts_do_not_meet(server: RunningServer, student: Student) -> None:
    other = server.join("Ben")
    codes = new_code(student), new_code(other)

    assert [pair(server, code).account for code in codes] == [student.id, other.id]


def test_an_old_code_is_of_no_use(server: RunningServer, student: Student) -> None:
    code = new_code(student)
    with server.services.database.writing() as session:
        session.exec(select(PairingCodeRow)).one().expires_at = now() - timedelta(seconds=1)

    answer = server.client.post("/api/v1/pair", json={"code": code})

    assert is_problem(answer, 404)
    assert "dojo pair" in answer.json()["detail"]


def test_only_the_digest_of_a_code_is_kept(server: RunningServer, student: Student) -> None:
    code = new_code(student)

    with server.services.database.reading() as session:
        row = session.exec(select(PairingCodeRow)).one()
    assert row.digest == tokens.digest(code)
    assert code not in row.model_dump_json()
    pair(server, code)
    with server.services.database.reading() as session:
        assert session.exec(select(PairingCodeRow)).all() == []
        assert len(session.exec(select(TokenRow).where(TokenRow.account_id == student.id)).all()) == 2


def test_revoked_tokens_take_the_code_along(server: RunningServer, student: Student) -> None:
    code, other = new_code(student), new_code(server.instructor)
    with server.services.database.writing() as session:
        accounts.revoke_tokens(session, student.id)

    assert is_problem(server.client.post("/api/v1/pair", json={"code": code}), 404)
    assert pair(server, other).account == server.instructor.account


def test_a_revoked_token_makes_no_code(server: RunningServer, student: Student) -> None:
    with server.services.database.writing() as session:
        accounts.revoke_tokens(session, student.id)

    answer = student.post("/api/v1/pairing-codes")

    assert is_problem(answer, 401)
    assert "dojo pair" in answer.json()["detail"]
    assert "dojo login" in answer.json()["detail"]
    assert "oin again" not in answer.json()["detail"]


def test_too_many_tries_are_refused_with_a_pause(server: RunningServer, student: Student) -> None:
    code = new_code(student)
    for _ in range(30):
        assert is_problem(server.client.post("/api/v1/pair", json={"code": "AAAAA-AAAAA"}), 404)

    answer = server.client.post("/api/v1/pair", json={"code": code})

    assert is_problem(answer, 429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
