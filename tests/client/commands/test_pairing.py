"""`dojo pair` prints a code, and `dojo login --code` signs in with it elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.client.conftest import Student
from tests.client.fake import ADDRESS, TOKEN

CODE = "K7QF2-9TXMD"


@pytest.fixture
def elsewhere(student: Student, tmp_path: Path) -> Student:
    """The same student at another machine."""
    return replace(student, config=tmp_path / "other-machine")


def test_a_code_signs_in_on_another_machine(student: Student, elsewhere: Student) -> None:
    student.join()

    code, out, _ = student.type("pair")

    assert code == 0
    assert out.splitlines()[0] == CODE
    assert f"type: dojo login {ADDRESS} --code {CODE}" in out
    assert f'dojo.login("{ADDRESS}", code="{CODE}")' in out

    code, out, err = elsewhere.type("login", ADDRESS, "--code", CODE)
    assert (code, err) == (0, "")
    assert out.startswith("You are Ada, in autumn.\n")
    assert elsewhere.type("list")[0] == 0
    assert json.loads((elsewhere.config / "tokens.json").read_text()) == {f"{ADDRESS}#7": TOKEN}


def test_a_code_is_printed_as_json(student: Student) -> None:
    student.join()

    answer = json.loads(student.type("pair", "--json")[1])

    assert answer == {"server": ADDRESS, "code": CODE, "expires_at": "2026-01-02T03:14:05Z"}


def test_a_token_for_colab(student: Student) -> None:
    student.join()

    code, out, err = student.type("pair", "--token")

    assert (code, out) == (0, f"{TOKEN}\n")
    assert "DOJO_TOKEN" in err
    assert json.loads(student.type("pair", "--token", "--json")[1]) == {"server": ADDRESS, "token": TOKEN}


def test_an_unknown_code_says_how_to_get_one(elsewhere: Student) -> None:
    code, out, err = elsewhere.type("login", ADDRESS, "--code", "AAAAA-AAAAA")

    assert (code, out) == (2, "")
    assert "dojo pair" in err
    assert not (elsewhere.config / "profiles.json").exists()


def test_a_signed_in_machine_may_change_its_token(student: Student) -> None:
    student.join()
    student.type("pair")

    assert student.type("login", ADDRESS, "--code", CODE, "--profile", "mine")[0] == 0

    assert "* mine: Ada in autumn" in student.type("profile")[1]


def test_pairing_needs_an_account(student: Student) -> None:
    code, _, err = student.type("pair")

    assert code == 2
    assert "dojo join" in err


def test_a_name_that_the_course_has_is_warned_about(student: Student) -> None:
    student.fake.warning = "Somebody named Ada is in this course already."

    code, out, err = student.type("join", "dojo.test", "CODE", "--name", "Ada")

    assert code == 0
    assert err.splitlines() == [
        "Somebody named Ada is in this course already.",
        f"Then type here what it prints: dojo login {ADDRESS} --code CODE",
    ]
    assert out.startswith("Welcome, Ada.")


def test_a_machine_without_a_token_is_led_out(student: Student) -> None:
    student.join()
    (student.config / "tokens.json").unlink()

    code, _, err = student.type("list")

    assert code == 2
    assert f"Type dojo pair where you are signed in, then here: dojo login {ADDRESS} --code CODE" in err
