"""The commands ``join`` and ``login``, typed by a student at a fake server."""

from __future__ import annotations

import io

import pytest

from tests.client.conftest import Student
from tests.client.fake import INVITATION, TOKEN


def test_joining_keeps_the_token_and_never_shows_it(student: Student) -> None:
    code, out, err = student.type("join", "dojo.test", "CODE", "--name", "Ada")
    assert code == 0
    assert "Next: dojo list" in out
    for words in (("profile",), ("profile", "--json"), ("list", "--json"), ("status", "--json")):
        code, more, errors = student.type(*words)
        assert code == 0
        out, err = out + more, err + errors
    assert TOKEN not in out + err


def joins(student: Student) -> list[tuple[str | None, str]]:
    """The token and the body of each join."""
    requests = [each for each in student.fake.requests if each.url.path.endswith(("/join", "/open-invitation"))]
    return [(each.headers.get("Authorization"), each.content.decode().replace(" ", "")) for each in requests]


def test_a_further_course_is_joined_with_the_account(student: Student) -> None:
    student.join()
    code, out, _ = student.type("join", "dojo.test", "SPRING")

    assert code == 0
    assert "You are in Spring." in out and "in your account" in out
    assert joins(student)[1] == (f"Bearer {TOKEN}", '{"code":"SPRING"}')
    out = student.type("profile")[1]
    assert "* spring: Ada in spring" in out and "  autumn: Ada in autumn" in out

    student.type("logout")  # the other course needs the token
    assert student.type("list")[0] == 0


def test_a_token_that_was_made_anew_replaces_the_old_one(student: Student) -> None:
    student.join()
    student.fake.new_token = "dojo_new"
    student.fake.warning = "Your keys were made anew."

    code, out, err = student.type("join", "dojo.test", "SPRING")

    assert (code, err) == (0, "Your keys were made anew.\n")
    assert "dojo_new" not in out
    student.type("list", "--profile", "autumn")
    assert student.fake.requests[-1].headers["Authorization"] == "Bearer dojo_new"


def test_somebody_else_may_join_beside_an_account(student: Student) -> None:
    student.join()

    assert student.type("join", "dojo.test", "CODE", "--name", "Bob", "--profile", "bob")[0] == 0

    assert joins(student)[1] == (None, '{"code":"CODE","name":"Bob"}')


def test_without_its_token_an_account_joins_nothing(student: Student) -> None:
    student.join()
    (student.config / "tokens.json").unlink()

    code, _, err = student.type("join", "dojo.test", "SPRING", "--name", "Ada")

    assert (code, len(joins(student))) == (2, 1)
    assert "dojo pair" in err and "--profile NEW-NAME" in err


def test_a_personal_link_joins(student: Student) -> None:
    code, out, err = student.type("join", f"https://dojo.test/join#{INVITATION}")

    assert code == 0, err
    assert out.startswith("Welcome, Ada. You are in Autumn.")
    assert joins(student) == [(None, '{"code":"join_ada"}')]
    assert student.type("list")[0] == 0

    student.type("join", f"https://dojo.test/join#{INVITATION}")
    assert joins(student)[1][0] == f"Bearer {TOKEN}"


def test_an_address_alone_is_told_what_is_missing(student: Student) -> None:
    code, _, err = student.type("join", "dojo.test")

    assert code == 2
    assert err.endswith("Type: dojo join https://dojo.test CODE --name NAME\n")


def test_plain_http_to_another_machine_is_warned_about(student: Student) -> None:
    _, _, err = student.type("join", "http://dojo.test", "CODE", "--name", "Ada")
    assert "not encrypted" in err


def test_login_reads_the_token_from_standard_input(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TOKEN + "\n"))
    code, out, _ = student.type("login", "dojo.test")
    assert code == 0
    assert "You are Ada, in autumn." in out
    assert student.type("list")[0] == 0
    assert student.type("logout")[0] == 0
    assert student.type("list")[0] == 2
