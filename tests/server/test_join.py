"""Coming in."""

from __future__ import annotations

import pytest
from sqlmodel import select

from server import courses
from server.models import Token
from tests.server.house import House, is_problem


def test_join_gives_an_account_and_a_token_of_which_only_the_hash_is_kept(house: House) -> None:
    answer = house.client.post("/api/v1/join", json={"code": house.join_code, "name": "  Ada   Lovelace "})
    assert answer.status_code == 201
    assert answer.headers["Dojo-API"] == "1"
    told = answer.json()
    assert told["student"]["name"] == "Ada Lovelace"
    assert told["course"] == {"slug": "backprop", "title": "Becoming a backprop ninja"}
    assert told["token"].startswith("dojo_")
    with house.services.database.reading() as session:
        kept = session.exec(select(Token).where(Token.student_id == told["student"]["id"])).one()
    assert told["token"] not in kept.model_dump_json()
    assert told["token"].removeprefix("dojo_") not in kept.model_dump_json()


def test_the_token_says_who_one_is(house: House) -> None:
    ada = house.join("Ada")
    assert ada.get("/api/v1/me").json() == {
        "id": ada.id,
        "name": "Ada",
        "courses": [{"slug": "backprop", "title": "Becoming a backprop ninja", "role": "student"}],
    }
    assert house.instructor.get("/api/v1/me").json()["courses"][0]["role"] == "instructor"


def test_a_join_code_may_be_typed_in_any_way(house: House) -> None:
    typed = house.join_code.lower().replace("-", "  ")
    assert house.client.post("/api/v1/join", json={"code": typed, "name": "Ada"}).status_code == 201


def test_a_replaced_join_code_is_of_no_use(house: House) -> None:
    with house.services.database.writing() as session:
        course = courses.find_course(session, "backprop")
        assert course is not None
        courses.replace_join_code(course)
    assert is_problem(house.client.post("/api/v1/join", json={"code": house.join_code, "name": "Eve"}), 404)


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\0b", "a\x1b[31mb", "\N{RIGHT-TO-LEFT OVERRIDE}ada"])
def test_a_name_that_cannot_be_shown_in_a_list_is_refused(house: House, name: str) -> None:
    assert is_problem(house.client.post("/api/v1/join", json={"code": house.join_code, "name": name}), 422)


@pytest.mark.parametrize("name", ["Ève", "李小龍", "O'Brien; DROP TABLE", "\N{GRINNING FACE}", "علی\u200cرضا"])
def test_names_of_all_people_are_taken(house: House, name: str) -> None:
    assert house.join(name).get("/api/v1/me").json()["name"] == name


def test_without_a_valid_token_nothing_is_told(house: House) -> None:
    ada = house.join()
    for headers in ({}, {"Authorization": "Bearer dojo_nonsense"}, {"Authorization": f"Basic {ada.token}"}):
        answer = house.client.get("/api/v1/me", headers=headers)
        assert is_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_revoked_tokens_are_of_no_use_and_a_new_one_is(house: House) -> None:
    ada = house.join()
    with house.services.database.writing() as session:
        assert courses.revoke_tokens(session, ada.id) == 1
        ada_again = courses.issue_token(session, ada.id)
    assert is_problem(ada.get("/api/v1/me"), 401)
    ada.token = ada_again
    assert ada.get("/api/v1/me").status_code == 200
