"""The command, typed by a student at a fake server."""

from __future__ import annotations

import io
import json
import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import safetensors.torch
import torch
from click.shell_completion import ShellComplete

from dojo.api.http import RETRY_PAUSES
from dojo.cli import cli
from dojo.files.outbox import Outbox
from dojo.files.workspace import find_workspace
from tests.client.conftest import Student
from tests.client.fake import HINTS, INVITATION, SLUG, TOKEN, expected, problem, state
from tests.client.notebooks import notebook

RIGHT = "dcounts = n / counts\ndlogits = torch.full((2, 3), 2.0)\n"
HALF = "dcounts = n / counts\ndlogits = torch.ones(2, 3)\ncmp('logits', dlogits)\n"


@pytest.fixture
def pulled(student: Student) -> Student:
    """A student in the folder of a pulled exercise."""
    student.join()
    assert student.type("pull", SLUG)[0] == 0
    os.chdir("cross-entropy")
    return student


def test_every_command_takes_json_and_explains_itself(student: Student) -> None:
    for name, command in cli.commands.items():
        assert "--json" in [option for each in command.params for option in each.opts], name
        code, out, _ = student.type(name, "--help")
        assert code == 0
        assert command.help
        assert "Usage: dojo" in out
        assert re.search(rf"Examples?:\n +dojo {name}\b", out), name


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


def test_a_pipe_gets_the_result_in_short(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    code, out, _ = pulled.type("submit", "solution.py")
    assert code == 1
    assert out.splitlines() == [
        f"{SLUG}, attempt 1 (submission 1)",
        "[█✗]  1 of 2 pass, 1 exact",
        "1 more step right.",
        "counts          | exact: True  | approximate: True  | maxdiff: 0.0",
        "The whole table: dojo show 1 --all",
        "",
        "logits          | exact: False | approximate: False | maxdiff: 1.0 | wrong here",
        "  This is a factor of 2 off.",
        "  One more hint (2 of 3): dojo hint",
        "Stuck at dlogits? The lecture at 1:00: https://dojo.test/lecture?t=60",
    ]


@pytest.mark.parametrize("words", [("submit", "solution.py", "--all"), ("show", "1", "--all")])
def test_all_has_the_lectures_lines(pulled: Student, words: tuple[str, ...]) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    code, out, _ = pulled.type(*words)
    assert code == 1
    assert out.splitlines() == [
        "counts          | exact: True  | approximate: True  | maxdiff: 0.0",
        "logits          | exact: False | approximate: False | maxdiff: 1.0 | wrong here",
        f"    {HINTS[0]}",
        "1 of 2 pass, 1 exact; 1 mistake of your own",
        "Stuck at dlogits? The lecture at 1:00: https://dojo.test/lecture?t=60",
    ]


def test_what_changed_is_said(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    assert "Since attempt 1: no other steps pass than before." in pulled.type("submit", "solution.py")[1]
    Path("solution.py").write_text("dlogits = torch.full((2, 3), 2.0)\n")
    out = pulled.type("submit", "solution.py")[1]
    assert "Since attempt 2: counts passed before, and no longer passes.\n" in out
    assert "Since attempt 2: 1 more step right.\nlogits          | exact: True " in out


def test_another_machine_asks_the_server_what_changed(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (pulled.config / "attempts.json").unlink()
    assert "Since attempt 1: no other steps" in pulled.type("submit", "solution.py")[1]
    (pulled.config / "attempts.json").write_text("{broken")
    assert "Since attempt 2: no other steps" in pulled.type("submit", "solution.py")[1]


def test_all_right_says_so_and_what_is_next(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    listed = [pulled.fake.exercise(), {**pulled.fake.exercise(), "slug": "makemore/next"}]
    pulled.fake.before = lambda request: (
        httpx.Response(200, json={"exercises": listed}) if request.url.path.endswith("autumn/exercises") else None
    )
    code, out, _ = pulled.type("submit", "solution.py")
    assert code == 0
    assert out.endswith("All 2 steps pass, exact: this exercise is done.\nNext: dojo pull makemore/next\n")
    listed.insert(0, {**pulled.fake.exercise(), "slug": "makemore/above"})
    assert pulled.type("show", "1")[1].endswith("\nNext: dojo pull makemore/next\n")
    listed.pop()
    assert pulled.type("show", "1")[1].endswith("\nNext: dojo pull makemore/above\n")
    del listed[0]
    assert pulled.type("show", "1")[1].endswith("this exercise is done.\nSee how far you are: dojo list\n")


def test_each_hint_says_one_level_more(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    row = "logits          | exact: False | approximate: False | maxdiff: 1.0 | wrong here"
    shown = [f"  {number}. {hint}" for number, hint in enumerate(HINTS, 1)]
    assert pulled.type("hint")[1].splitlines() == [row, *shown[:2], "One more: dojo hint"]
    # The same mistake, handed in again, goes on from there.
    assert f"  {HINTS[1]}\n  One more hint (3 of 3): dojo hint\n" in pulled.type("submit", "solution.py")[1]
    assert pulled.type("hint")[1].splitlines() == [row, *shown]
    assert pulled.type("hint")[1].splitlines() == [row, *shown, "That was the last hint. The lecture: dojo open"]
    assert json.loads(pulled.type("hint", "1", "--json")[1])["hints"] == list(HINTS)


def test_the_course_limits_the_hints(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (submission,) = pulled.fake.graded.values()
    diagnosis = submission["grade"]["checkpoints"][1]["diagnosis"][0]
    diagnosis["hints"] = diagnosis["hints"][:1]
    assert "That was the last hint." in pulled.type("hint")[1]
    submission["grade"]["checkpoints"][1]["diagnosis"] = []
    assert "This course shows no hints." in pulled.type("hint")[1]


def test_a_hint_without_a_mistake(pulled: Student) -> None:
    assert pulled.type("hint")[0] == 2
    Path("solution.py").write_text(RIGHT)
    pulled.type("submit", "solution.py")
    assert pulled.type("hint")[:2] == (0, "There is no mistake of your own: all of it passes.\n")


def test_the_code_that_was_handed_in_is_shown(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    assert pulled.type("submissions")[1] == pulled.type("history")[1]
    assert pulled.type("submissions", "show", "1")[1] == pulled.type("show", "1")[1]
    assert pulled.type("submissions", "show", "1", "--code")[:2] == (0, HALF)
    document = json.loads(pulled.type("submissions", "show", "1", "--code", "--json")[1])
    assert document == {"submission": 1, "filename": "solution.py", "source": HALF}
    pulled.fake.sources[1] = b"x = 1 \x1b[2J\xff"
    assert pulled.type("submissions", "show", "1", "--code")[1] == "x = 1 \ufffd\n"


def test_what_staff_say_is_shown_with_the_submission(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (submission,) = pulled.fake.graded.values()
    plain = pulled.type("show", "1", "--all")[1]
    author = {"id": 1, "name": "Dr. Example"}
    submission["comments"] = [
        {"id": 1, "author": author, "checkpoint": "counts", "text": "A factor is missing.\nSee \x1b[2J25:07."},
        {"id": 2, "author": author, "checkpoint": None, "text": "Good otherwise."},
    ]
    submission["override"] = {"points": 1.5, "reason": "Half of it by hand."}

    shown = pulled.type("show", "1", "--all")[1]

    assert shown.removesuffix(plain).splitlines() == [
        "Dr. Example on dcounts:",
        "  A factor is missing.",
        "  See 25:07.",
        "Dr. Example:",
        "  Good otherwise.",
        "For makemore/cross-entropy you have 1.5 points: Half of it by hand.",
        "",
    ]
    assert pulled.type("submissions", "show", "1", "--all")[1] == shown


def test_points_that_staff_set_are_shown_in_the_status(pulled: Student) -> None:
    exercise = pulled.fake.exercise() | {"override": {"points": 1.5, "reason": "Half of it by hand."}}
    pulled.fake.before = lambda request: (
        httpx.Response(200, json=exercise, headers=pulled.fake.headers) if request.url.path.endswith(SLUG) else None
    )

    shown = pulled.type("status")[1]

    assert shown.startswith("For makemore/cross-entropy you have 1.5 points: Half of it by hand.\n")


@pytest.mark.parametrize(
    "broken",
    [{"comments": [{"text": "x"}]}, {"comments": [{"author": {}, "text": 3}]}, {"override": {"reason": "x"}}],
)
def test_feedback_that_is_none_is_refused(pulled: Student, broken: dict[str, Any]) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    (submission,) = pulled.fake.graded.values()
    submission.update(broken)

    code, _, error = pulled.type("show", "1")

    assert (code, "no usable" in error) == (2, True)


def test_restore_writes_back_what_was_handed_in(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    assert "submission 1 already" in pulled.type("restore", "1")[1]
    Path("solution.py").write_text("my newest work")
    code, _, err = pulled.type("restore", "1")
    assert (code, err) == (
        2,
        "solution.py is there already, and was left as it is.\nName another file: dojo restore 1 --to FILE\n",
    )
    assert Path("solution.py").read_text() == "my newest work"
    Path("solution.py").unlink()
    code, out, _ = pulled.type("restore", "1")
    assert (code, out) == (0, "solution.py holds submission 1 again. Next: dojo submit solution.py\n")
    assert Path("solution.py").read_text() == HALF
    assert json.loads(pulled.type("restore", "1", "--to", "a b.py", "--json")[1])["written"] is True
    assert Path("a b.py").read_text() == HALF


@pytest.mark.parametrize(("answer", "kept"), [("n\n", "mine"), ("\n", "mine"), ("y\n", HALF)])
def test_restore_asks_before_it_replaces(
    pulled: Student, monkeypatch: pytest.MonkeyPatch, answer: str, kept: str
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    Path("solution.py").write_text("mine")
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    pulled.type("restore", "1")
    assert Path("solution.py").read_text() == kept


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "/etc/x.py",
        "a\\b.py",
        ".bashrc",
        ".py",
        "con.py",
        "x.sh",
        "state.safetensors",
        "x" * 300 + ".py",
        "",
    ],
    ids=lambda name: name[:20],
)
def test_a_server_cannot_name_the_file(pulled: Student, name: str) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    pulled.fake.source_name = name or " "
    before = {path: path.read_bytes() for path in Path("..").rglob("*") if path.is_file()}
    code, out, _ = pulled.type("restore", "1")
    assert (code, out.split()[0]) == (0, "submission-1.py")
    assert {path: path.read_bytes() for path in before} == before
    assert Path("submission-1.py").read_text() == HALF


def test_all_right_is_exit_0(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    code, out, _ = pulled.type("submit", "--json")
    assert code == 0
    assert json.loads(out)["grade"]["exact"] == 2


def test_tensors_are_sent_as_they_are(pulled: Student) -> None:
    answers = {f"d{name}": each for name, each in expected().items()}
    Path("answers.safetensors").write_bytes(safetensors.torch.save(answers))
    assert pulled.type("submit", "answers.safetensors")[0] == 0
    assert pulled.fake.posted.headers["Content-Type"] == "application/vnd.safetensors"
    assert pulled.fake.posted.content == Path("answers.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("names", "says"), [(("Yb", "counts", "logits"), "forward state"), (("x",), "no tensor of this")]
)
def test_other_tensors_are_not_sent(pulled: Student, names: tuple[str, ...], says: str) -> None:
    Path("x.safetensors").write_bytes(safetensors.torch.save({name: torch.ones(1) for name in names}))
    code, _, err = pulled.type("submit", "x.safetensors")
    assert code == 2
    assert says in err


def test_a_folder_hands_in_what_was_changed_last(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    Path("older.py").write_text(HALF)
    os.utime("older.py", (1, 1))
    code, _, err = pulled.type("submit")
    assert (code, err) == (0, "Submitting solution.py.\n")


def test_a_fresh_folder_hands_in_solution_py(pulled: Student) -> None:
    code, _, err = pulled.type("submit", ".")
    assert (code, err) == (1, "Submitting solution.py.\n")


def test_a_notebook_says_what_was_taken(pulled: Student) -> None:
    cells = notebook(
        "import torch\nlogits = 3",
        "dcounts = n / counts\nprint(dcounts)",
        "dlogits = torch.full((2, 3), 2.0)",
    )
    Path("mine.ipynb").write_text(json.dumps(cells))
    code, _, err = pulled.type("submit", "mine.ipynb")
    assert code == 0
    assert err == "2 answers taken from 2 of 3 code cells.\n"
    sent = json.loads(pulled.fake.posted.content)
    assert sent["filename"] == "mine.ipynb"
    assert "print" not in sent["source"]
    code, out, _ = pulled.type("submit", "mine.ipynb", "--json")
    assert [each["cell"] for each in json.loads(out)["notebook"]["taken"]] == [2, 3]


def test_explain_says_all_that_is_taken_and_left_out(pulled: Student) -> None:
    unfinished = "\n".join(f"dh{number} = mystery{number} * logits.grad\ndlogits = dh{number}" for number in range(2))
    cells = notebook("dcounts = n / counts", "dlogits = logits * 2\nprint 1", "x =", unfinished)
    Path("mine.ipynb").write_text(json.dumps(cells))

    short = pulled.type("submit", "mine.ipynb")[2]
    long = pulled.type("submit", "mine.ipynb", "--explain")[2]

    assert short.splitlines()[0] == "2 answers taken from 2 of 4 code cells."
    assert len(short.splitlines()) == 5 and short.endswith("All of it: dojo submit mine.ipynb --explain\n")
    assert "Cell 1: dcounts." in long and "Cell 2: dlogits (in part)." in long
    assert "Your own dlogits above it counts." in long and "--explain" not in long


def test_a_script_is_sliced_as_a_notebook_is(pulled: Student) -> None:
    script = (
        "words = open('names.txt').read()\nif __name__ == '__main__':\n    dcounts = n / counts\n    print(dcounts)\n"
    )
    Path("script.py").write_text(script)

    _, _, err = pulled.type("submit", "script.py", "--explain")

    assert err == "1 answer taken from lines 2 to 4 of the script.\nTaken: dcounts.\n"
    assert "open" not in json.loads(pulled.fake.requests[-1].content)["source"]


def test_a_file_with_a_backslash_in_its_name(pulled: Student) -> None:
    Path("a\\b.py").write_text(RIGHT)
    assert pulled.type("submit", "a\\b.py")[0] == 0
    assert json.loads(pulled.fake.posted.content)["filename"] == "a_b.py"


def test_json_comes_without_notes(pulled: Student) -> None:
    Path("mine.ipynb").write_text(json.dumps(notebook("dcounts = n / counts", "dlogits = mystery")))
    _, out, err = pulled.type("submit", ".", "--json")
    assert err == ""
    assert json.loads(out)["notebook"]["remarks"] == [
        "Cell 2, line 1 is left out: mystery has no value before it. So dlogits is not graded."
    ]


def test_a_broken_pipe_is_no_error(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise BrokenPipeError

    pulled.fake.before = broken
    monkeypatch.setattr("sys.stderr", io.StringIO())  # the command closes it
    assert pulled.type("list") == (0, "", "")


def test_another_servers_outbox_is_not_sent(pulled: Student) -> None:
    workspace = find_workspace(Path())
    assert workspace is not None
    Outbox(workspace).put(b"tensors", "key")
    mark = Path(".dojo.json")
    mark.write_text(mark.read_text().replace("https://dojo.test", "https://other.test"))
    Path("solution.py").write_text(RIGHT)
    code, _, err = pulled.type("submit", "solution.py", DOJO_SERVER="dojo.test", DOJO_TOKEN=TOKEN)
    assert (code, err) == (0, "")
    assert len(list(Path(".dojo-outbox").glob("*.safetensors"))) == 1


def test_two_exercises_that_fit_equally_are_named(pulled: Student) -> None:
    os.chdir("..")
    Path("mine.py").write_text(RIGHT)
    listed = [pulled.fake.exercise(), {**pulled.fake.exercise(), "slug": "a/other"}]

    def two(request: httpx.Request) -> httpx.Response | None:
        path = request.url.path.removeprefix("/api/v1/courses/autumn/")
        answers: dict[str, Any] = {"exercises": {"exercises": listed}}
        answers |= {f"exercises/{exercise['slug']}": exercise for exercise in listed}
        return httpx.Response(200, json=answers[path]) if path in answers else None

    pulled.fake.before = two
    code, _, err = pulled.type("submit", "mine.py")
    assert code == 2
    assert f"it could be {SLUG} or a/other" in err


def test_the_server_waits_a_second_before_the_queue_is_shown(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    for wait, sent in (("60", "1"), ("0.5", "0.5")):
        pulled.type("submit", "solution.py", "--wait", wait)
        posted = [request for request in pulled.fake.requests if request.method == "POST"]
        assert posted[-1].url.params["wait"] == sent


def watched(pulled: Student, looks: int, between: Callable[[int], None]) -> tuple[int, str, str, list[float]]:
    """Watch solution.py for so many looks. Return exit code, output, and the pauses between looks."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds in RETRY_PAUSES:  # between two attempts of one request
            return
        pauses.append(seconds)
        if len(pauses) == looks:
            raise KeyboardInterrupt
        between(len(pauses))

    pulled.network = replace(pulled.fake.network, sleep=sleep)
    return *pulled.type("watch", "solution.py"), pauses


def test_watch_says_once_that_the_server_is_away(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)

    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    def come_back(look: int) -> None:
        if look == 6:
            pulled.fake.before = None

    pulled.fake.before = away
    code, out, err, pauses = watched(pulled, 8, come_back)

    assert err.splitlines()[-1].endswith("could not be reached. Watch goes on, and submits when it is back.")
    assert err.count("could not be reached") == 1
    assert (code, out.count("2 of 2 pass")) == (0, 1)
    assert pauses == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 0.5, 0.5]


def test_watch_sends_nothing_twice_that_the_server_has(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    pulled.fake.waits, pulled.fake.breaks_after = 5, 1

    def goes_away(request: httpx.Request) -> None:
        if request.url.path.endswith("/submissions/1"):
            raise httpx.ConnectError("refused")

    pulled.fake.before = goes_away
    code, _, err, pauses = watched(pulled, 4, lambda look: None)

    assert (code, len(pulled.fake.graded)) == (3, 1)
    assert err.count("Submission 1 is kept, but") == 1
    assert pauses[-3:] == [0.5, 0.5, 0.5]


def test_status_shows_the_best_and_the_last_mistake(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    shown = pulled.fake.exercise()
    shown["checkpoints"][0] |= {"best": "exact", "attempts": 1}
    shown["checkpoints"][1] |= {"best": "wrong", "attempts": 1}
    pulled.fake.before = lambda request: (
        httpx.Response(200, json=shown) if request.url.path.endswith(f"exercises/{SLUG}") else None
    )
    lines = pulled.type("status")[1].splitlines()
    assert lines[:2] == [f"{SLUG}: Softmax", "[█✗]  1 of 2 pass, 1 exact"]
    assert lines[-4].endswith("| wrong here")
    assert lines[-3:-1] == [f"  {HINTS[0]}", "  One more hint (2 of 3): dojo hint"]
    Path("solution.py").write_text("dlogits = torch.ones(2, 3)\n")
    pulled.type("submit", "solution.py")  # counts is not there now, and passed before
    assert pulled.type("status")[1].splitlines()[1] == "[█✗]  1 of 2 pass, 1 exact"


def test_a_dry_run_sends_nothing(pulled: Student) -> None:
    Path("mine.ipynb").write_text(json.dumps(notebook("dcounts = n / counts")))
    before = len(pulled.fake.requests)
    code, out, _ = pulled.type("submit", "mine.ipynb", "--dry-run")
    assert (code, out) == (0, "# --- cell 1 ---\ndcounts = n / counts\n")
    assert not [each for each in pulled.fake.requests[before:] if each.method == "POST"]


def test_outside_of_a_folder_the_exercise_is_guessed(pulled: Student) -> None:
    os.chdir("..")
    Path("mine.py").write_text(RIGHT)
    code, _, err = pulled.type("submit", "mine.py")
    assert code == 0
    assert f"mine.py makes 2 answers of {SLUG}" in err
    assert pulled.type("submit", "mine.py", "--exercise", SLUG)[0] == 0
    Path("other.py").write_text("x = 1")
    assert pulled.type("submit", "other.py")[0] == 2


def test_an_error_names_the_cell_and_line(pulled: Student) -> None:
    Path("mine.ipynb").write_text(json.dumps(notebook("x = 1", "print(1)\n\ndcounts = counts * 1")))
    broken = {"status": "error", "message": 'File "mine.ipynb", line 2, in <module>', "stdout": "hello\n"}

    def fail(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        pulled.fake.before = None
        answer: dict[str, Any] = pulled.fake(request).json()
        answer["grade"]["run"] = broken
        return httpx.Response(201, json=answer)

    pulled.fake.before = fail
    _, out, _ = pulled.type("submit", "mine.ipynb")
    assert "Your code printed:\n    hello\n" in out
    assert "Your code stopped with an error" in out
    assert "Line 2 of what was taken is line 3 of cell 2." in out


def test_waiting_for_the_queue(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    pulled.fake.waits = 4
    assert pulled.type("submit", "solution.py")[0] == 0
    pulled.fake.waits, pulled.fake.events = 10_000, False
    code, _, err = pulled.type("submit", "solution.py", "--wait", "3")
    assert code == 3
    assert re.search(r"not graded yet: place \d+ in the queue, about \d+ s\.\nLook later: dojo show 2\n", err)
    code, out, _ = pulled.type("show", "2")
    assert code == 1
    assert re.search(r"place \d+ in the queue, about \d+ s\. Look again: dojo show 2\n", out)


@pytest.mark.parametrize(
    ("ends", "says"), [("cancelled", "dojo submit FILE"), ("quarantined", "tell your instructor the number 1")]
)
def test_an_ungraded_end_says_what_to_do(pulled: Student, ends: str, says: str) -> None:
    Path("solution.py").write_text(RIGHT)
    pulled.fake.waits, pulled.fake.ends = 2, ends
    code, out, _ = pulled.type("submit", "solution.py")
    assert code == 1
    assert says in out
    assert pulled.type("submit", "solution.py", "--json")[0] == 1


@pytest.mark.parametrize("command", ["submit", "watch"])
def test_control_c_while_waiting_says_where_to_look(pulled: Student, command: str) -> None:
    Path("solution.py").write_text(RIGHT)
    pulled.fake.waits = 5

    def interrupt(request: httpx.Request) -> None:
        if request.url.path.endswith("/events"):
            raise KeyboardInterrupt

    pulled.fake.before = interrupt
    code, _, err = pulled.type(command, "solution.py")
    assert code == (130 if command == "submit" else 0)
    assert "It is still being graded. Look later: dojo show 1\n" in err
    assert len(pulled.fake.graded) == 1


def test_a_lost_server_keeps_the_submission(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT)
    pulled.fake.waits, pulled.fake.breaks_after = 5, 1

    def goes_away(request: httpx.Request) -> None:
        if request.url.path.endswith("/submissions/1"):
            raise httpx.ConnectError("refused")

    pulled.fake.before = goes_away
    code, _, err = pulled.type("submit", "solution.py")
    assert code == 3
    assert "Submission 1 is kept, but: https://dojo.test could not be reached." in err
    assert err.endswith("Look later: dojo show 1\n")


def test_check_needs_no_server(pulled: Student) -> None:
    Path("solution.py").write_text(
        "print('hello')\ndcounts = counts.sum(1)\ndlogits = (counts * float('nan')).double()\n"
    )
    before = len(pulled.fake.requests)
    code, out, _ = pulled.type("check", "solution.py")
    assert code == 1
    assert out.splitlines()[:4] == [
        "Your code printed:",
        "hello",
        "counts          | shape: [2]          | float32  | shape [2] does not fit [2, 3]",
        "logits          | shape: [2, 3]       | float64  | holds NaN or infinite numbers",
    ]
    assert len(pulled.fake.requests) == before


@pytest.mark.parametrize(
    ("code", "good"),
    [
        (RIGHT, True),
        ("def backward(state):\n    return {'counts': state['counts'], 'dlogits': state['logits']}\n", True),
        ("dcounts = counts.sum(0)\ndlogits = logits\n", True),
        ("dcounts = counts\ndlogits = 3.0\n", False),
        ("dcounts = counts * 1\ncheck = cmp\ncheck(Yb, logits * 2, s=' dlogits')\n", True),
        ("dcounts = counts\ncmp('logits', None)\n", False),
        ("dcounts = counts\ndlogits = logits\nraise SystemExit(0)\n", False),
        ("dcounts = (\n", False),
        ("dcounts = counts\ndlogits = Yb\n", False),
    ],
)
def test_check_looks_at_names_shapes_and_dtypes(pulled: Student, code: str, good: bool) -> None:
    Path("solution.py").write_text(code)
    assert pulled.type("check", "solution.py")[0] == (0 if good else 1)
    _, out, _ = pulled.type("check", "solution.py", "--json")
    assert json.loads(out)["good"] is good


def test_check_explains_what_it_took_of_a_notebook(pulled: Student) -> None:
    cells = notebook("import matplotlib", "dcounts = counts * 2\nprint 1", "\ndlogits = logits.nothing")
    Path("mine.ipynb").write_text(json.dumps(cells))
    code, out, err = pulled.type("check", "mine.ipynb")
    assert code == 1
    assert "2 answers taken from 2 of 3 code cells.\nCell 2 is not finished: line 2 left out" in err
    assert "Line 5 of what was taken is line 2 of cell 3." in out
    _, out, _ = pulled.type("check", "mine.ipynb", "--json")
    assert [each["cell"] for each in json.loads(out)["notebook"]["taken"]] == [2, 3]


def test_check_looks_at_tensors_too(pulled: Student) -> None:
    Path("a.safetensors").write_bytes(safetensors.torch.save({"dcounts": torch.ones(2, 3), "logits": torch.ones(2, 3)}))
    assert pulled.type("check", "a.safetensors")[0] == 0


def test_looking_back(pulled: Student) -> None:
    Path("solution.py").write_text(HALF)
    pulled.type("submit", "solution.py")
    code, out, _ = pulled.type("history")
    assert code == 0
    assert out.splitlines()[1].split(" | ")[:2] == ["1 ", "1 of 2"]
    code, out, _ = pulled.type("show", "1")
    assert code == 1
    assert "logits          | exact: False" in out
    assert pulled.type("show", "99")[0] == 2
    code, out, _ = pulled.type("status")
    assert code == 0
    assert out.splitlines()[:2] == [f"{SLUG}: Softmax", "[··]  0 of 2 pass, 0 exact"]
    assert out.splitlines()[-2:] == [
        "Next: dcounts",
        "Stuck at dcounts? The lecture at 1:00: https://dojo.test/lecture?t=60",
    ]
    assert pulled.type("status", "--all")[1].splitlines()[1].startswith("counts | not yet")


def test_open_shows_the_first_wrong_step(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert pulled.type("open")[0] == 0
    code, out, _ = pulled.type("open", "--json")
    assert json.loads(out)["checkpoint"] == "counts"
    assert opened == ["https://dojo.test/lecture?t=60"]
    pulled.fake.links = False
    code, out, _ = pulled.type("open")
    assert code == 0
    assert "exercise.md" in out


def test_open_continues_the_last_exercise(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    done = {**pulled.fake.exercise(), "passed": 2}
    other, third = ({**pulled.fake.exercise(), "slug": slug, "lecture_url": None} for slug in ("a/other", "a/third"))
    listed = [done, other, third]
    submissions = [{"id": 1, "exercise": "a/third", "status": "graded"}]

    def several(request: httpx.Request) -> httpx.Response | None:
        path = request.url.path.removeprefix("/api/v1/courses/autumn/")
        answers: dict[str, Any] = {"exercises": {"exercises": listed}, "submissions": {"submissions": submissions}}
        answers |= {f"exercises/{each['slug']}": each for each in listed}
        return httpx.Response(200, json=answers[path]) if path in answers else None

    pulled.fake.before = several
    os.chdir("..")
    code, out, _ = pulled.type("open")
    assert (code, opened) == (0, ["https://dojo.test/lecture?t=60"])
    assert out == "dcounts is the first step of a/third that is not right yet:\nhttps://dojo.test/lecture?t=60\n"
    for latest, todo, slug in ((SLUG, listed, "a/other"), ("a/third", [done], SLUG)):
        submissions[0]["exercise"], listed = latest, todo
        assert json.loads(pulled.type("open", "--json")[1])["exercise"] == slug


def test_watch_submits_on_every_save(pulled: Student) -> None:
    saves = iter([RIGHT, RIGHT, HALF])

    def save(_: float) -> None:
        try:
            Path("solution.py").write_text(next(saves))
        except StopIteration:
            raise KeyboardInterrupt from None

    Path("solution.py").write_text("dcounts = (")
    pulled.fake.before = lambda request: (
        problem(422, "This is no Python. Save it again.") if b"= (" in request.content else None
    )
    pulled.network = replace(pulled.fake.network, sleep=save)
    code, out, err = pulled.type("watch", "solution.py")
    assert code == 1
    assert "This is no Python" in err
    assert out.count("2 of 2 pass") == 1
    assert out.count("1 of 2 pass") == 1


def test_watch_ends_by_an_interrupt_that_python_dropped(pulled: Student) -> None:
    pauses: list[float] = []

    def drop(seconds: float) -> None:  # as Python does while it finalises a socket
        pauses.append(seconds)
        assert len(pauses) == 1
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    Path("solution.py").write_text(RIGHT)
    pulled.network = replace(pulled.fake.network, sleep=drop)
    before = signal.getsignal(signal.SIGINT)

    code, _, _ = pulled.type("watch", "solution.py")

    assert (code, len(pauses)) == (0, 1)
    assert signal.getsignal(signal.SIGINT) is before


def test_hostile_text_of_the_server_stays_text(pulled: Student) -> None:
    pulled.fake.before = lambda _: problem(404, "[bold]x[/bold] [link=https://evil.test]y[/link] \x1b[2J")
    _, _, err = pulled.type("history")
    assert "[bold]x[/bold] [link=https://evil.test]y[/link]" in err
    assert "\x1b" not in err


def test_completion_knows_commands_options_and_exercises(pulled: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    pulled.type("list")
    monkeypatch.setenv("DOJO_CONFIG_DIR", str(pulled.config))
    requests = len(pulled.fake.requests)

    def completed(*words: str) -> list[str]:
        found = ShellComplete(cli, {}, "dojo", "_DOJO_COMPLETE").get_completions(list(words[:-1]), words[-1])
        return [each.value for each in found]

    assert completed("subm") == ["submissions", "submit"]
    assert completed("submit", "--dr") == ["--dry-run"]
    for words in (
        ("pull", "make"),
        ("status", ""),
        ("history", "m"),
        ("open", ""),
        ("submit", "x.py", "--exercise", ""),
    ):
        assert completed(*words) == [SLUG]
    assert completed("pull", "other") == []
    assert len(pulled.fake.requests) == requests


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(pulled: Student, shell: str) -> None:
    code, out, _ = pulled.type("completion", shell)
    assert code == 0
    assert "_DOJO_COMPLETE" in out


def test_checked_code_does_not_change_the_state(pulled: Student) -> None:
    Path("solution.py").write_text(RIGHT + "counts.zero_()\n")
    pulled.type("check", "solution.py")
    assert torch.equal(safetensors.torch.load_file("state.safetensors")["counts"], state()["counts"])


def test_tensors_of_a_replaced_state_are_not_sent(pulled: Student) -> None:
    answers = {f"d{name}": each for name, each in expected().items()}
    Path("answers.safetensors").write_bytes(safetensors.torch.save(answers))
    pulled.fake.content = safetensors.torch.save({"logits": torch.zeros(2, 3)})
    code, _, err = pulled.type("submit", "answers.safetensors")
    assert code == 2
    assert f"dojo pull {SLUG}" in err
    assert not pulled.fake.graded


def test_an_unwritable_path_is_no_traceback(student: Student) -> None:
    student.join()
    Path("file").write_text("")
    code, _, err = student.type("pull", SLUG, "--to", "file/inside")
    assert code == 2
    assert "Not a directory" in err or "cannot find" in err


def test_watch_prints_a_document_a_line(pulled: Student) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    pulled.network = replace(pulled.fake.network, sleep=stop)
    _, out, _ = pulled.type("watch", "solution.py", "--json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1]
