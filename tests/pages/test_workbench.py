"""The workbench, as the server sends it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import safetensors.torch

from dojo.api.responses import read_exercise
from dojo.files import starter
from grader.sandbox import Job
from server.accounts import accounts
from server.database.table import now
from server.pages.study.reading import TENSORS_BYTES_MAX
from server.pages.study.reading_turns import FILES_PER_MINUTE
from server.pages.study.slicing import CODE_CHARACTERS_MAX, CannotSlice, Wanted, slice_apart
from tests.pages.conftest import Opened
from tests.support.assigned import assign
from tests.support.servers import COURSE, EXERCISES, FULL, SOLUTION, RunningServer, Student, gradients
from tests.support.windows import Window

OpenWindow = Callable[..., Window]
BENCH = f"/courses/{COURSE}/exercises/{FULL}"
MISTAKE = SOLUTION.replace(" + 2 * bndiff * dbndiff2", "")
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def student(server: RunningServer) -> Student:
    """A student of the course."""
    return server.join("Noor")


@pytest.fixture
def at_work(window: OpenWindow, student: Student) -> Window:
    """A student's browser."""
    return window(student.token)


@pytest.fixture
def a_run_is_under_way(server: RunningServer, opened: Opened) -> Iterator[None]:
    """Somebody else's code runs until the test has ended, and this server runs one at a time."""
    runs, may_end = Event(), Event()

    def hold(job: Job) -> None:
        runs.set()
        may_end.wait()

    opened.sandbox.before = hold
    server.join("Ada").submit_code(SOLUTION, wait=0)
    runs.wait()
    yield
    opened.sandbox.before = lambda job: None
    may_end.set()


@pytest.fixture
def names_an_endless_line(opened: Opened) -> Iterator[None]:
    """All code stops with an error that names a line of more digits than Python reads."""
    opened.sandbox.message = f"ValueError: line {'9' * 5000}"
    yield
    opened.sandbox.message = None


@pytest.fixture
def stops_at_line_30(opened: Opened) -> Iterator[None]:
    """All code stops with an error."""
    place = 'Traceback:\n  File "solution.py", line 30, in <module>\n'
    opened.sandbox.message = place + "NameError: name '<b>' is not defined"
    yield
    opened.sandbox.message = None


def checked(window: Window, source: str, step: str = "") -> str:
    answer = window.send(f"{BENCH}/check", on=BENCH, headers=FRAGMENT, source=source, step=step)
    assert answer.status_code == 200
    return str(answer.text)


def marks(page: str) -> dict[str, str]:
    return dict(re.findall(r'data-sheet="(\w+)" data-mark="(\w+)"', page))


def attempts(student: Student) -> int:
    return int(student.get(f"{EXERCISES}/{FULL}").json()["attempts"])


def test_the_editor_begins_with_what_dojo_pull_writes(at_work: Window, student: Student) -> None:
    page = at_work.open(BENCH).text

    (source,) = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert html.unescape(source) == starter.solution(read_exercise(student.get(f"{EXERCISES}/{FULL}").json()))
    assert set(marks(page).values()) == {"missing"}
    assert "Things to hold on to" in page


def test_a_check_marks_each_step_and_names_the_path_left_out(at_work: Window) -> None:
    page = checked(at_work, MISTAKE)

    shown = marks(page)
    assert [name for name, mark in shown.items() if mark == "own"] == ["bndiff"]
    assert shown["hprebn"] == "inherited"
    assert "e-lost" in page
    assert 'href="#step-bndiff">dbndiff</a>' in page
    assert page.count('class="heat"') == 1  # of the first mistake; others when they are looked at


def test_a_picture_holds_the_students_values_and_no_right_ones(
    at_work: Window, server: RunningServer, student: Student
) -> None:
    page = checked(at_work, SOLUTION.replace("dh = dlogits @ W2.T", "dh = 2 * dlogits @ W2.T"), step="hpreact")

    values = [json.loads(html.unescape(each)) for each in re.findall(r'data-values="([^"]+)"', page)]
    assert [len(each) for each in values] == [32 * 64, 32 * 64]
    right = gradients(student.state())["dh"].flatten().tolist()
    assert values[0][:9] == [float(f"{2 * value:.2e}") for value in right[:9]]


def test_code_that_stops_says_where(at_work: Window, stops_at_line_30: None) -> None:
    page = checked(at_work, SOLUTION)

    assert 'data-error-line="30"' in page
    assert "NameError at line 30: name &#39;&lt;b&gt;&#39; is not defined" in page
    assert "<b>'" not in page


def test_a_check_needs_the_form_of_ones_own_page(at_work: Window, window: OpenWindow) -> None:
    foreign = at_work.client.post(f"{BENCH}/check", data={"source": SOLUTION})

    assert foreign.status_code == 403
    assert window().client.post(f"{BENCH}/check", data={"source": SOLUTION}).status_code in (401, 403)


def test_strangers_sign_in_and_members_of_another_course_find_nothing(
    server: RunningServer, window: OpenWindow
) -> None:
    there = server.open_course("elsewhere")

    assert window().open(BENCH).headers["location"] == f"/sign-in?next={BENCH}"
    assert window(there.student.token).open(BENCH).status_code == 404


def test_an_unknown_exercise_is_answered_with_those_of_the_course(
    server: RunningServer, window: OpenWindow, at_work: Window, elsewhere: Callable[..., Elsewhere]
) -> None:
    there = elsewhere(position=1)  # the course asks for the full backward pass alone
    typed = "makemore/cross-entropi", "makemore/full-backwards", "puzzles/relus"

    pages = [there.window.open(there.bench.replace(FULL, slug)) for slug in typed]

    assert [page.status_code for page in pages] == [404, 404, 404]
    assert ["Did you mean" in page.text for page in pages] == [False, True, False]
    assert f"Did you mean {FULL}?" in pages[1].text
    practice = at_work.open(BENCH.replace(FULL, typed[0]))  # nothing is assigned: all of its packs are to practise
    assert "Did you mean makemore/cross-entropy?" in practice.text
    outside = at_work.open(there.bench.replace(FULL, typed[1]))
    assert "No such course" in outside.text and FULL not in outside.text
    nobody = window("dojo_" + "x" * 43).open(BENCH.replace(FULL, typed[1]))
    assert nobody.headers["location"].startswith("/sign-in")


def test_a_draft_is_there_on_the_next_device(at_work: Window, window: OpenWindow, student: Student) -> None:
    kept = at_work.send(f"{BENCH}/draft", on=BENCH, source="dh = 1 < 2\n").json()

    page = window(student.token).open(BENCH).text

    assert "dh = 1 &lt; 2" in page
    assert f'data-draft="{kept["changed_at"]}"' in page
    again = at_work.send(f"{BENCH}/draft", on=BENCH, source="dh = 3", seen="").json()
    assert again["overwrote"] == kept["changed_at"]


def test_a_form_without_script_hands_in_and_shows_the_result(at_work: Window) -> None:
    answer = at_work.send(f"{BENCH}/submit", on=BENCH, source=MISTAKE.replace("\n", "\r\n"), attempt="1")

    assert (answer.status_code, answer.headers["location"]) == (303, f"{BENCH}?attempt=1")
    page = at_work.open(f"{BENCH}?attempt=1").text
    assert "Attempt 1 is in" in page
    assert marks(page)["bndiff"] == "own"
    more = at_work.open(f"{BENCH}?step=bndiff&hints=2").text
    assert more.count("<li hidden") < page.count("<li hidden")
    assert "Hand in attempt 2" in page


def test_a_form_that_is_sent_twice_is_one_attempt(at_work: Window, student: Student) -> None:
    for _ in range(2):
        at_work.send(f"{BENCH}/submit", on=BENCH, source=SOLUTION, attempt="1")

    assert attempts(student) == 1


def test_the_result_says_what_changed_and_what_is_next(at_work: Window) -> None:
    at_work.send(f"{BENCH}/submit", on=BENCH, source=MISTAKE, attempt="1")
    answer = at_work.send(f"{BENCH}/submit", on=BENCH, headers=FRAGMENT, source=SOLUTION, attempt="2")

    assert "26 of 26, exact" in answer.text
    assert "own mistake, now exact" in answer.text
    assert "inherited, now exact" in answer.text
    assert "Next: " in answer.text


@pytest.mark.usefixtures("names_an_endless_line")
def test_an_error_may_name_a_line_that_is_none(at_work: Window) -> None:
    answer = at_work.send(f"{BENCH}/check", on=BENCH, headers=FRAGMENT, source=SOLUTION)

    assert answer.status_code == 200
    assert "ValueError" in answer.text


def notebook(*cells: str) -> bytes:
    body = {"cells": [{"cell_type": "code", "source": each, "metadata": {}, "outputs": []} for each in cells]}
    return json.dumps({**body, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def read(window: Window, name: str, content: bytes) -> Any:
    token = {"form_token": window.form_token(BENCH)}
    return window.client.post(f"{BENCH}/read", data=token, files={"file": (name, content)})


def test_a_notebook_is_shown_as_it_would_be_handed_in(at_work: Window, student: Student) -> None:
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])"

    answer = read(at_work, "mine.ipynb", notebook(plot, SOLUTION))

    assert answer.status_code == 200
    assert "answers taken from" in answer.text
    (source,) = re.findall(r'name="source" value="([^"]*)"', answer.text)
    assert "dlogprobs" in source and "matplotlib" not in source
    assert attempts(student) == 0
    at_work.send(f"{BENCH}/submit", on=BENCH, source=html.unescape(source), attempt="1", filename="mine.ipynb")
    assert "26 of 26" in at_work.open(f"{BENCH}?attempt=1").text


def test_tensors_are_shown_and_handed_in(at_work: Window, student: Student) -> None:
    tensors = {name: value.contiguous() for name, value in gradients(student.state()).items()}

    answer = read(at_work, "answers.safetensors", safetensors.torch.save(tensors))

    assert "26 tensors of 26 steps" in answer.text
    (encoded,) = re.findall(r'name="tensors" value="([^"]*)"', answer.text)
    sent = at_work.send(f"{BENCH}/submit", on=BENCH, tensors=html.unescape(encoded), attempt="1")
    assert sent.status_code == 303
    assert "26 of 26" in at_work.open(f"{BENCH}?attempt=1").text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("answers.docx", b"x"),
        ("mine.ipynb", b"{"),
        ("mine.py", b"\xff\xfe"),
        ("mine.py", b"print('no answer')\nopen('x')"),
        ("state.safetensors", b"x"),
        ("large.safetensors", b"x" * (TENSORS_BYTES_MAX + 1)),
        ("long.py", b"import os\n" + b"dh = 1\n" * (CODE_CHARACTERS_MAX // 7)),
        ("long.ipynb", notebook(*["dh = 1\n" * 1000] * 20)),
        ("deep.ipynb", notebook("import os\ndh = " + "-" * 5000 + "h")),
        ("cells.ipynb", b'{"cells": [{"cell_type": "code", "source": null}]}'),
        ("half.ipynb", notebook("import os\nx = '\ud800'")),
    ],
)
def test_a_file_without_an_answer_is_refused_with_a_reason(at_work: Window, name: str, content: bytes) -> None:
    answer = read(at_work, name, content)

    assert answer.status_code == 422
    assert name in answer.text or "answer" in answer.text


def test_nobody_has_all_the_turns_to_have_a_file_read(server: RunningServer, window: OpenWindow) -> None:
    first, second = (window(server.join(name).token) for name in ("Uma", "Vic"))

    answers = [read(first, "answers.docx", b"x").status_code for _ in range(FILES_PER_MINUTE + 1)]

    assert answers == [422] * FILES_PER_MINUTE + [429]
    assert read(second, "answers.docx", b"x").status_code == 422


def wanted(name: str) -> Wanted:
    return Wanted(name, FULL, ["h", "logits"], ["Xb"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("heading.ipynb", b'{"cells": [{"source": "# ' + b"cross entropy " * 200_000 + b'"}]}'),  # hours
        ("lists.ipynb", b'{"cells": [' + b"[]," * 12_000_000 + b"0]}"),  # a gigabyte
    ],
)
def test_a_file_that_takes_too_much_is_given_up(name: str, content: bytes) -> None:
    with pytest.raises(CannotSlice, match=r"Leave out|Write it in parts"):
        slice_apart(wanted(name), content, cpu_seconds=1)


def test_a_file_is_read_without_the_environment_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # a Python that reads the environment does not begin

    assert "dh = 1" in slice_apart(wanted("mine.py"), b"import os\ndh = 1\n").source


@dataclass
class Elsewhere:
    """A student of another course, whose exercise has an assignment."""

    window: Window
    bench: str

    def check(self) -> Any:
        return self.window.send(f"{self.bench}/check", on=self.bench, headers=FRAGMENT, source=MISTAKE)


@pytest.fixture
def elsewhere(server: RunningServer, window: OpenWindow) -> Callable[..., Elsewhere]:
    """Open a course whose exercise has an assignment with these fields."""

    def open_course(**fields: Any) -> Elsewhere:
        there = server.open_course("-".join(fields).replace("_", "-"))
        assign(server, slug=there.slug, **fields)
        return Elsewhere(window(there.student.token), f"/courses/{there.slug}/exercises/{FULL}")

    return open_course


def test_an_assignment_can_close_live_checks(elsewhere: Callable[..., Elsewhere]) -> None:
    there = elsewhere(checks_open=False)

    page = there.window.open(there.bench).text

    assert 'data-checks="off"' in page and "This one is by hand" in page
    assert there.check().status_code == 403


def test_withheld_feedback_shows_no_verdict(elsewhere: Callable[..., Elsewhere]) -> None:
    there = elsewhere(feedback="after_due", due_at=now() + timedelta(days=1))
    there.window.send(f"{there.bench}/submit", on=there.bench, source=MISTAKE, attempt="1")

    page = there.window.open(f"{there.bench}?attempt=1").text

    assert set(marks(page).values()) == {"missing"}
    assert "26 steps handed in" in page
    assert there.check().status_code == 403


def test_where_no_hints_are_shown_no_picture_is(elsewhere: Callable[..., Elsewhere]) -> None:
    page = elsewhere(hint_levels=0).check().text

    assert marks(page)["bndiff"] == "own"
    assert 'class="heat"' not in page and "e-lost" not in page


def test_an_admin_without_a_seat_reads_only(server: RunningServer, window: OpenWindow) -> None:
    with server.services.database.writing() as session:
        account = accounts.open_account(session, "Root")
        account.is_admin = True
        token = accounts.issue_token(session, account.id)
    admin = window(token)

    assert "without a seat" in admin.open(BENCH).text
    assert admin.send(f"{BENCH}/submit", on=BENCH, source=SOLUTION, attempt="1").status_code == 403


def test_what_waits_has_its_place_shown(at_work: Window, a_run_is_under_way: None) -> None:
    at_work.send(f"{BENCH}/submit", on=BENCH, source=SOLUTION, attempt="1")

    page = at_work.open(f"{BENCH}?attempt=1").text

    assert "Place 1 in the queue" in page
    assert 'data-again="' in page
