"""Training, as the server sends its pages."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from exercises.registry import find
from server.courses import courses
from server.database.table import now
from server.tables import AssignmentRow, Check, CourseRow, DraftRow, Role, RunState, TrainingRunRow
from tests.client.notebook_slice.test_training_loop import HEADING, LOOP, SETUP
from tests.client.notebooks import notebook
from tests.support.servers import COURSE, RunningServer, Student
from tests.support.training import write_run
from tests.support.windows import Window, without_chance

OpenWindow = Callable[..., Window]
TRAINING = f"/courses/{COURSE}/training"
EXERCISE = "makemore/train"
CODE = find(EXERCISE).solution
CURVE = [[0, 3.3], [50, 2.6], [100, 2.4]]


@pytest.fixture(autouse=True, scope="module")
def nobody_computes(server: RunningServer) -> None:
    """What waits goes on waiting."""
    server.services.dispatcher.stop()


@pytest.fixture
def student(server: RunningServer) -> Student:
    return server.join("Noor")


@pytest.fixture
def browser(window: OpenWindow, student: Student) -> Window:
    return window(student.token)


def written(server: RunningServer, student: Student, **values: Any) -> int:
    """Write a run of a student; return its id."""
    with server.services.database.writing() as session:
        return write_run(session, 1, student.account, **{"curve": CURVE, "reference_curve": CURVE} | values)


def shown(page: str) -> str:
    """The text of a page."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))


def editor(page: str) -> str:
    found = re.search(r'<textarea[^>]*id="f-source"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_a_run_is_started_and_cancelled(browser: Window) -> None:
    sent = browser.send(f"{TRAINING}/start", source=CODE, steps="300", batch="16", rates="0.2,0.02@200")
    page = browser.open(TRAINING).text
    number = re.search(r'action="/training/(\d+)/cancel"', page)

    assert (sent.status_code, sent.headers["location"]) == (303, f"{TRAINING}#run")
    assert "It waits for its turn." in page and number
    assert "16 examples a step, learning rate 0.2,0.02@200" in shown(page)
    assert f'data-run-events="/training/{number[1]}/events"' in page
    again = browser.send(f"{TRAINING}/start", source=CODE)
    assert again.status_code == 422 and "goes on. Wait for its end, or cancel it first." in again.text

    assert browser.send(f"/training/{number[1]}/cancel").headers["location"] == TRAINING
    page = browser.open(TRAINING).text
    assert "Cancelled after 0 steps." in shown(page) and "data-run-events" not in page


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"source": " "}, "f-source", "There is no code."),
        ({"steps": "many"}, "f-steps", "no whole number"),
        ({"steps": "999999"}, "", "Ask for fewer."),
        ({"batch": "1"}, "", "Choose another size."),
        ({"rates": "fast"}, "f-rates", "0.1,0.01@10000"),
        ({"rates": "100"}, "", "learning rate"),
        ({"ranked": "on"}, "f-pseudonym", "Choose one."),
        ({"ranked": "on", "pseudonym": "Doge", "steps": "200000", "batch": "1024"}, "f-steps", "Ask for fewer"),
    ],
)
def test_what_is_wrong_stands_at_its_field(browser: Window, fields: dict[str, str], field: str, told: str) -> None:
    answer = browser.send(f"{TRAINING}/start", "/account", None, **({"source": "x = 1"} | fields))

    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert not field or f'href="#{field}"' in answer.text
    assert editor(answer.text) == fields.get("source", "x = 1")  # what was typed stays


def test_the_editor_begins_with_the_newest_code(server: RunningServer, student: Student, browser: Window) -> None:
    assert editor(browser.open(TRAINING).text).startswith("def backward(state):")
    with server.services.database.writing() as session:
        session.add(
            DraftRow(course_id=1, account_id=student.account, exercise=EXERCISE, source="dC = 1", changed_at=now())
        )
    assert editor(browser.open(TRAINING).text) == "dC = 1"
    written(server, student, body=b"dC = 2")
    assert editor(browser.open(TRAINING).text) == "dC = 2"


def test_of_a_notebook_all_but_the_loop_comes_into_the_editor(browser: Window) -> None:
    content = json.dumps(notebook(HEADING + SETUP + LOOP)).encode()
    headers = {"X-Form-Token": browser.form_token()}
    page = browser.client.post(f"{TRAINING}/read", files={"file": ("mine.ipynb", content)}, headers=headers).text

    assert "7 answers taken from 1 of 1 code cells." in page
    assert "dlogits /= n" in editor(page)
    assert "for i in" not in editor(page) and "randint" not in editor(page)


@pytest.mark.parametrize(
    ("file", "told"), [(("a.txt", b"x"), "a.txt is neither"), (("a.py", b"y = 1"), "whole script"), (None, "Choose a")]
)
def test_a_file_that_holds_no_answer_is_told(browser: Window, file: tuple[str, bytes] | None, told: str) -> None:
    headers = {"X-Form-Token": browser.form_token()}
    files = {"file": file} if file else None

    assert told in browser.client.post(f"{TRAINING}/read", files=files, headers=headers).text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"checked": Check.YES, "samples": ["mona", "kayah"]}, "Each chunk agrees with the reference."),
        ({"checked": Check.NO}, "It was not checked chunk by chunk"),
        ({"checked": Check.FAILED, "message": "Step 16 differs."}, "with gradients that are not right"),
        (
            {"state": RunState.RUNNING, "step": 50, "message": "Step 16 differs.", "finished_at": None},
            "Its gradients are not right so far. Step 16 differs.",
        ),
        ({"state": RunState.FAILED, "message": "Line 3 raised KeyError."}, "The run stopped. Line 3 raised KeyError."),
        ({"state": RunState.FORGED, "message": "Step 10 differs."}, "not the gradients of your code. Step 10 differs."),
    ],
)
def test_a_run_says_how_it_ended(
    server: RunningServer, student: Student, browser: Window, values: dict[str, Any], told: str
) -> None:
    number = written(server, student, **values)

    page = browser.open(f"/training/{number}").text

    assert told in shown(page)
    assert page.count('class="curve"') == 2  # for a desk and for a phone
    assert 'aria-label="Loss 3.3000 at step 0, 2.4000 at step 100 of 100.' in page
    for name in values.get("samples", ()):
        assert f"<li>{name}</li>" in page


def test_a_run_is_for_its_owner_and_for_staff(server: RunningServer, student: Student, window: OpenWindow) -> None:
    number = written(server, student, body=b"dC = 42")
    with server.services.database.writing() as session:
        course = session.get_one(CourseRow, 1)
        other = courses.enrol(session, course, "Somebody", Role.STUDENT).token
        assistant = courses.enrol(session, course, "Tove", Role.ASSISTANT).token
        elsewhere = courses.enrol(session, courses.open_course(session, "far", "Far"), "Ida", Role.INSTRUCTOR).token

    for token in (student.token, assistant, server.instructor_token):
        looker = window(token)
        page = looker.open(f"/training/{number}")
        assert page.status_code == 200 and "42" in page.text
        assert looker.open(f"/training/{number}/source").content == b"dC = 42"
    assert (
        "Noor, run" in page.text
        and "Noor" not in without_chance(window(student.token).open(f"/training/{number}").text).split("<main")[1]
    )
    for token in (other, elsewhere):
        for path in ("", "/source", "/events"):
            assert window(token).open(f"/training/{number}{path}").status_code == 404
        assert window(token).send(f"/training/{number}/cancel").status_code == 404


def test_staff_see_and_cancel_a_students_run(server: RunningServer, student: Student, window: OpenWindow) -> None:
    number = written(server, student, state=RunState.RUNNING, step=50, finished_at=None)
    staff = window(server.instructor_token)

    page = staff.open(f"/courses/{COURSE}/students/{student.account}").text
    assert f'href="/training/{number}"' in page
    assert staff.send(f"/training/{number}/cancel").headers["location"] == f"/training/{number}"
    assert "Cancelled after 50 steps." in shown(staff.open(f"/training/{number}").text)


def test_code_that_was_emptied_is_not_shown(server: RunningServer, student: Student, browser: Window) -> None:
    number = written(server, student, body=b"", emptied_at=now())

    assert "The code is kept no longer." in browser.open(f"/training/{number}").text
    assert browser.open(f"/training/{number}/source").status_code == 410


def test_the_ranking_shows_pseudonyms_alone(server: RunningServer, student: Student, browser: Window) -> None:
    for name, loss in (("Ada Lovelace", 2.15), ("Ben", 2.05)):
        somebody = server.join(name)
        written(server, somebody, ranked=True, pseudonym=f"{name[0]} the Doge", checked=Check.YES, dev_loss=loss)
    written(server, student, ranked=True, pseudonym="Ninja", checked=Check.YES, dev_loss=2.10)
    written(server, student, dev_loss=1.0)

    page = browser.open(TRAINING).text
    ranking = shown(page.split('id="ranking"')[1].split("</section>")[0])

    assert re.findall(r"(\d) (\w+(?: the Doge)?)(?: you)? (2\.\d+)", ranking) == [
        ("1", "B the Doge", "2.0500"),
        ("2", "Ninja", "2.1000"),
        ("3", "A the Doge", "2.1500"),
    ]
    assert "Ninja you" in ranking
    assert "Lovelace" not in page


def test_training_is_linked_from_the_exercise_and_from_the_courses(browser: Window) -> None:
    link = f'href="{TRAINING}"'

    assert link in browser.open("/courses").text
    assert link in browser.open(f"/courses/{COURSE}/exercises/{EXERCISE}").text
    assert link not in browser.open(f"/courses/{COURSE}/exercises/makemore/batch-norm").text


def test_a_course_that_does_not_ask_for_it_says_so(server: RunningServer, window: OpenWindow) -> None:
    with server.services.database.writing() as session:
        course = courses.open_course(session, "one", "One")
        session.add(AssignmentRow(course_id=course.id, exercise="makemore/batch-norm", position=0))
        token = courses.enrol(session, course, "Rio", Role.STUDENT).token

    page = window(token).open("/courses/one/training")

    assert page.status_code == 200
    assert "Start the run" not in page.text
    assert window(token).send("/courses/one/training/start", source=CODE).status_code in (403, 404)


def test_a_loss_beyond_numbers_breaks_no_page(server: RunningServer, student: Student, browser: Window) -> None:
    number = written(server, student, curve=[[0, 3.3], [50, 1e300], [100, float("inf")]], train_loss=None)
    with server.services.database.reading() as session:
        assert session.get_one(TrainingRunRow, number).curve[1][1] > 1e299

    page = browser.open(f"/training/{number}")

    assert page.status_code == 200
    assert "This run is cut above" in page.text and "not finite" in page.text
