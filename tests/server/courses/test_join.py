"""Coming in."""

from __future__ import annotations

import pytest
from sqlmodel import select

from server.accounts import accounts
from server.courses import courses, join_codes
from server.tables import TokenRow
from tests.support.servers import Members, RunningServer, is_problem


def test_join_gives_an_account_and_a_token_of_which_only_the_hash_is_kept(server: RunningServer) -> None:
    answer = server.client.post("/api/v1/join", json={"code": server.join_code, "name": "  Ada   Lovelace "})
    assert answer.status_code == 201
    assert answer.headers["Dojo-API"] == "1"
    told = answer.json()
    assert told["student"]["name"] == "Ada Lovelace"
    assert told["course"] == {"slug": "backprop", "title": "Becoming a backprop ninja"}
    assert told["token"].startswith("dojo_")
    with server.services.database.reading() as session:
        kept = session.exec(select(TokenRow).where(TokenRow.account_id == told["student"]["id"])).one()
    assert told["token"] not in kept.model_dump_json()
    assert told["token"].removeprefix("dojo_") not in kept.model_dump_json()


def test_the_token_says_who_one_is(server: RunningServer) -> None:
    student = server.join("Ada")
    assert student.get("/api/v1/me").json() == {
        "id": student.id,
        "name": "Ada",
        "courses": [{"slug": "backprop", "title": "Becoming a backprop ninja", "role": "student"}],
    }
    assert server.instructor.get("/api/v1/me").json()["courses"][0]["role"] == "instructor"


def test_a_join_code_may_be_typed_in_any_way(server: RunningServer) -> None:
    typed = server.join_code.lower().replace("-", "  ")
    assert server.client.post("/api/v1/join", json={"code": typed, "name": "Ada"}).status_code == 201


def test_a_replaced_join_code_is_of_no_use(server: RunningServer) -> None:
    with server.services.database.writing() as session:
        course = courses.find_course(session, "backprop")
        assert course is not None
        join_codes.replace(session, course)
    assert is_problem(server.client.post("/api/v1/join", json={"code": server.join_code, "name": "Eve"}), 404)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\0b", "a\x1b[31mb", "\N{RIGHT-TO-LEFT OVERRIDE}ada"])
def test_a_name_that_cannot_be_shown_in_a_list_is_refused(server: RunningServer, name: str) -> None:
    assert is_problem(server.client.post("/api/v1/join", json={"code": server.join_code, "name": name}), 422)


@pytest.mark.parametrize("name", ["Ève", "李小龍", "O'Brien; DROP TABLE", "\N{GRINNING FACE}", "علی\u200cرضا"])
def test_names_of_all_people_are_taken(server: RunningServer, name: str) -> None:
    assert server.join(name).get("/api/v1/me").json()["name"] == name


def test_without_a_valid_token_nothing_is_told(server: RunningServer) -> None:
    student = server.join()
    for headers in ({}, {"Authorization": "Bearer dojo_nonsense"}, {"Authorization": f"Basic {student.token}"}):
        answer = server.client.get("/api/v1/me", headers=headers)
        assert is_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_revoked_tokens_are_of_no_use_and_a_new_one_is(server: RunningServer) -> None:
    student = server.join()
    with server.services.database.writing() as session:
        assert accounts.revoke_tokens(session, student.id) == 1
        ada_again = accounts.issue_token(session, student.id)
    assert is_problem(student.get("/api/v1/me"), 401)
    student.token = ada_again
    assert student.get("/api/v1/me").status_code == 200


def test_a_name_that_the_course_has_is_warned_about(server: RunningServer, there: Members) -> None:
    def join(name: str) -> str | None:
        body = {"code": server.join_code, "name": name}
        answer = server.client.post("/api/v1/join", json=body)
        assert answer.status_code == 201
        return answer.json()["warning"]  # type: ignore[no-any-return]

    assert join("Ada") is None
    assert join("Student") is None  # a name of another course
    assert join("Ada B") is None

    warning = join("  Ada ")

    assert warning is not None
    assert warning.startswith("Somebody named Ada is in this course already.")
    assert "dojo pair" in warning
