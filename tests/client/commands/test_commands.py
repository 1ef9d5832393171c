"""Every command: how it is used, its errors and exit codes."""

from __future__ import annotations

import io
import json
import re

import httpx2 as httpx
import pytest

from dojo.cli import cli
from tests.client.conftest import Student
from tests.client.fake import SLUG, TOKEN, problem
from tests.support.help_lines import cut_lines


def test_every_command_takes_json_and_explains_itself(student: Student) -> None:
    for name, command in cli.commands.items():
        assert "--json" in [option for each in command.params for option in each.opts], name
        code, out, _ = student.type(name, "--help")
        assert code == 0
        assert command.help
        assert "Usage: dojo" in out
        assert re.search(rf"Examples?:\n +dojo {name}\b", out), name


def test_without_a_profile_join_is_suggested(student: Student) -> None:
    code, out, err = student.type("list")
    assert (code, out) == (2, "")
    assert err.endswith("Type: dojo join ADDRESS CODE --name NAME\n")


def test_a_server_that_is_away_is_exit_3(student: Student) -> None:
    student.join()

    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    student.fake.before = away
    code, _, err = student.type("list")
    assert code == 3
    assert "could not be reached" in err
    code, out, _ = student.type("list", "--json")
    assert code == 3
    assert json.loads(out)["error"]["type"] == "Unreachable"


def test_wrong_usage_is_exit_2(student: Student) -> None:
    assert student.type("nonsense")[0] == 2
    assert student.type("show", "seventeen")[0] == 2
    assert student.type("submit", "nowhere.py")[0] == 2
    assert student.type()[0] == 0


@pytest.mark.parametrize("words", [("nonsense",), ("show",), ("show", "seventeen"), ("history", "--limit", "0")])
def test_wrong_usage_is_a_document_too(student: Student, words: tuple[str, ...]) -> None:
    code, out, err = student.type(*words, "--json")
    assert (code, err) == (2, "")
    assert json.loads(out)["error"]["next"] == "See: dojo --help"


def test_the_environment_is_enough(student: Student) -> None:
    code, out, _ = student.type("list", DOJO_SERVER="dojo.test", DOJO_TOKEN=TOKEN)
    assert code == 0
    assert SLUG in out


def test_a_broken_pipe_is_no_error(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise BrokenPipeError

    pulled.fake.before = broken
    monkeypatch.setattr("sys.stderr", io.StringIO())  # the command closes it
    assert pulled.type("list") == (0, "", "")


def test_hostile_text_of_the_server_stays_text(pulled: Student) -> None:
    pulled.fake.before = lambda _: problem(404, "[bold]x[/bold] [link=https://evil.test]y[/link] \x1b[2J")
    _, _, err = pulled.type("history")
    assert "[bold]x[/bold] [link=https://evil.test]y[/link]" in err
    assert "\x1b" not in err


def test_every_command_is_summed_up_in_a_line_of_80_characters() -> None:
    assert cut_lines(cli) == []
