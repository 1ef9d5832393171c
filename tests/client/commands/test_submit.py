"""The command ``submit``, typed by a student at a fake server."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import safetensors.torch
import torch

from dojo.files.outbox import Outbox
from dojo.files.workspace import find_workspace
from tests.client.commands.conftest import HALF, RIGHT
from tests.client.conftest import Student
from tests.client.fake import SLUG, TOKEN, expected
from tests.client.notebooks import notebook


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

    Path("script.py").write_text("words = open('names.txt').read()\ndcounts = n / counts\n")
    assert pulled.type("submit", "script.py", "--explain")[2].startswith("1 answer taken from line 2 of the script.\n")
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
    Path("mine.py").write_text("dlogits = torch.full((2, 3), 2.0)\n")
    assert f"mine.py makes 1 answer of {SLUG}" in pulled.type("submit", "mine.py")[2]
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


def test_a_lost_server_keeps_the_submission(losing: Student) -> None:
    code, _, err = losing.type("submit", "solution.py")
    assert code == 3
    assert "Submission 1 is kept, but: https://dojo.test could not be reached." in err
    assert err.endswith("Look later: dojo show 1\n")


def test_tensors_of_a_replaced_state_are_not_sent(pulled: Student) -> None:
    answers = {f"d{name}": each for name, each in expected().items()}
    Path("answers.safetensors").write_bytes(safetensors.torch.save(answers))
    pulled.fake.content = safetensors.torch.save({"logits": torch.zeros(2, 3)})
    code, _, err = pulled.type("submit", "answers.safetensors")
    assert code == 2
    assert f"dojo pull {SLUG}" in err
    assert not pulled.fake.graded


def test_a_file_without_answers_says_what_one_is(student: Student) -> None:
    student.join()
    Path("empty file.py").write_text("")

    code, _, err = student.type("submit", "empty file.py")

    assert code == 2
    assert err == (
        "empty file.py makes no answer of any exercise. An answer is a variable such as dlogits.\n"
        "Write one. If the file makes them in another way, name its exercise: "
        "dojo submit 'empty file.py' --exercise PACK/NAME\n"
    )
