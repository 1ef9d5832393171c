"""docs/instructor.md: the term that it tells is played, and every command prints what the page says."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exercises.instance import freeze
from grader import numerics
from grader.sandbox import Job
from server.cli import server as command
from server.settings import Settings
from tests.support.console import is_as_printed, read_console
from tests.support.servers import FakeSandbox
from tests.support.term import Term

TEXT = (Path(__file__).parents[2] / "docs" / "instructor.md").read_text(encoding="utf-8")
COMMANDS = read_console(TEXT)


def test_the_term_of_the_page_goes_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_sandbox: FakeSandbox
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOJO_DATA", str(tmp_path))
    environment = numerics.environment()

    def update(term: Term) -> None:
        term.misjudge()
        monkeypatch.setattr(numerics, "environment", lambda: f"{environment} updated")

    # What happens before the first command that begins so.
    events: list[tuple[str, Callable[[Term], None]]] = [
        ("python -m server people codes", Term.open_links),
        ("python -m server assignment set", Term.join_again),
        ("api 'courses/backprop/progress?", Term.hand_in),
        ("python -m server regrade backprop --exercise", update),
        ("python -m server gradebook backprop --format canvas", Term.export_from_canvas),
    ]
    with contextlib.ExitStack() as running:
        term = Term(Settings.read(), tmp_path, fake_sandbox, running)
        (roster,) = re.findall(r"^```csv\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
        term.write_roster(roster)
        for typed in COMMANDS:
            if events and typed.command.startswith(events[0][0]):
                events.pop(0)[1](term)
            printed = term.type(typed.command)
            if typed.printed and not is_as_printed(typed.printed, printed):
                pytest.fail(f"$ {typed.command}\n{printed}")
        assert events == []

        told = term.students["Cy D. Fect"].get("/api/v1/submissions/11").json()
        assert [each["text"] for each in told["comments"]] == [
            "Come to the lab on Thursday.",
            "Put parentheses around 1 - h**2.",
        ]
        overrides = term.students["Cy D. Fect"].get("/api/v1/courses/backprop/overrides").json()["overrides"]
        assert [(each["points"], each["reason"]) for each in overrides] == [(8.0, "Shown at the blackboard.")]


def test_a_command_beside_the_fake_keeps_its_own_output(
    fake_sandbox: FakeSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "import sys\nsys.stdout.write('Regrade 1')\nprint('h')\n"  # writes as a thread beside it would

    run = fake_sandbox.run(Job(source, "solution.py", freeze({}), ()))

    assert (run.stdout, capsys.readouterr().out) == ("h\n", "Regrade 1")


@pytest.mark.parametrize(
    ("documented", "printed", "is_so"),
    [
        ("1 found.", "1 found.\n", True),
        ("1 found.", "2 found.\n", False),
        ("a…\n…\nz", "abc\n1\n2\nz\n", True),
        ("a\n…\nz", "a\nz", True),
        ("a\n…\nz", "a\n1\n", False),
        ('{"id":1,\n"name":"Ada",…', '{"id":1,"name":"Ada","courses":[]}', True),
        ('{"id":1,…', '{"id":2,"name":"Ada"}', False),
    ],
)
def test_what_is_left_out_may_be_anything_and_nothing_else(documented: str, printed: str, is_so: bool) -> None:
    assert is_as_printed(documented, printed) is is_so


def test_every_command_that_the_text_names_is_there() -> None:
    named = set(re.findall(r"`(?:python -m server )?(people|assignment|course|admin) ([a-z-]+)", TEXT))
    assert len(named) > 5
    for group, name in named:
        assert name in command.commands[group].commands, f"{group} {name}"  # type: ignore[attr-defined]
    options = set(re.findall(r"`(--[a-z-]+)", TEXT))
    known = {
        option
        for group in command.commands.values()
        for each in [group, *getattr(group, "commands", {}).values()]
        for parameter in each.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert len(options) > 5
    assert options - known == {"--help"} & options
