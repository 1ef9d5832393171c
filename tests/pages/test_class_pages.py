"""What the pages of a class show, to whom, and what their forms do; without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import select

from exercises.registry import find
from server.accounts import accounts
from server.courses import courses
from server.tables import (
    AssignmentRow,
    CommentRow,
    CourseRow,
    Feedback,
    OverrideRow,
    Role,
    SeatRow,
    TicketRow,
    TicketState,
)
from tests.support.servers import COURSE, FULL, SOLUTION, RunningServer, Student, gradients
from tests.support.windows import Window, without_chance

OpenWindow = Callable[..., Window]
HERE = f"/courses/{COURSE}"
ONE_PATH = SOLUTION.replace(" + dcounts_sum  #", "  #")
HOSTILE = "<img src=x onerror=alert(1)>"


@dataclass(frozen=True)
class Class:
    """Ada, in section A, left one path out and then had all; Ben, in B, left it out; Cleo never began."""

    server: RunningServer
    ada: Student
    ben: Student
    assistant: str
    submissions: dict[str, int]

    def count(self, table: type[Any]) -> int:
        with self.server.services.database.reading() as session:
            return len(session.exec(select(table)).all())


@pytest.fixture(scope="module")
def drawn(server: RunningServer) -> Class:
    with server.services.database.writing() as session:
        course = session.get_one(CourseRow, 1)
        seats = {
            name: courses.enrol(session, course, name, role, section)
            for name, role, section in (
                ("Ada", Role.STUDENT, "A"),
                ("Ben & Sons", Role.STUDENT, "B"),
                ("Cleo", Role.STUDENT, "B"),
                ("Tove", Role.ASSISTANT, "B"),
            )
        }
    ada, ben = (Student(server.client, seats[name].token, seats[name].account.id) for name in ("Ada", "Ben & Sons"))
    ids = {
        "first": ada.submit_code(ONE_PATH).json()["id"],
        "last": ada.submit_code(SOLUTION + f"\n# {HOSTILE}\n").json()["id"],
        "ben": ben.submit_code(ONE_PATH + f"\nprint('{HOSTILE}')\n").json()["id"],
        "tensors": ben.submit_tensors({"dlogprobs": gradients(ben.state())["dlogprobs"]}).json()["id"],
    }
    return Class(server, ada, ben, seats["Tove"].token, ids)


@pytest.fixture
def staff(drawn: Class, window: OpenWindow) -> Window:
    return window(drawn.server.instructor_token)


def names(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', page)


def test_the_class_has_a_row_for_each_and_a_cell_for_each_step(staff: Window) -> None:
    page = staff.open(f"{HERE}/class?exercise={FULL}").text

    assert names(page) == ["Ada", "Ben &amp; Sons", "Cleo"]
    rows = {found[0]: found[1] for found in re.findall(r'<tr id="s(\d+)"[^>]*>(.*?)</tr>', page)}
    assert [row.count("<td") for row in rows.values()] == [28, 28, 28]  # 26 steps, passed and the last run
    ada, ben, cleo = rows.values()
    assert ada.count('class="x') + ada.count('class="a') == 26
    assert (
        'aria-label="own mistake, 1 attempt">1<' in ben and ben.count('class="i') == 20
    )  # b1's right gradient is zero
    assert cleo.count('class="n') == 26
    assert '<tr class="sec"><th scope="rowgroup">Section A' in page


def test_rows_are_filtered_and_sorted_by_the_address(drawn: Class, staff: Window, window: OpenWindow) -> None:
    def shown(query: str, visitor: Window = staff) -> list[str]:
        return names(visitor.open(f"{HERE}/class?exercise={FULL}&{query}").text)

    assert shown("section=B") == ["Ben &amp; Sons", "Cleo"]
    assert shown("section=B&sort=-name") == ["Cleo", "Ben &amp; Sons"]
    assert shown("show=never_started") == ["Cleo"]
    assert shown("show=stuck") == []
    assistant = window(drawn.assistant)
    assert shown("", assistant) == ["Ben &amp; Sons", "Cleo"]
    assert assistant.open(f"{HERE}/class?section=A").status_code == 403
    assert staff.open(f"{HERE}/class?exercise=no/such").status_code == 404


def test_where_it_hurts_names_the_step_and_the_answers_that_are_alike(staff: Window) -> None:
    page = staff.open(f"{HERE}/hurts?exercise={FULL}").text

    assert "counts = norm_logits.exp()" in page  # where both made their mistake
    assert "2 of 2" in page and "<strong>2 students</strong>" in page
    assert page.count('class="iqr"') == 26


def test_one_comment_reaches_all_who_erred_alike(drawn: Class, staff: Window) -> None:
    before = drawn.count(CommentRow)
    fields = {"exercise": FULL, "step": "counts", "text": "Two lines read counts.", "whom": "all"}

    token = staff.form_token()
    both = [str(drawn.submissions["first"]), str(drawn.submissions["ben"])]
    data = {"form_token": token, **fields, "submission": both}
    answer = staff.client.post(f"{HERE}/hurts/comments", data=data)
    nobody = staff.client.post(f"{HERE}/hurts/comments", data={"form_token": token, **fields, "whom": "unsolved"})

    assert answer.status_code == 303 and "commented=2" in answer.headers["location"]
    assert nobody.status_code == 422
    assert drawn.count(CommentRow) == before + 2
    assert "2 students read" in staff.open(answer.headers["location"]).text


def test_the_wall_counts_and_names_nobody(staff: Window) -> None:
    page = without_chance(staff.open(f"{HERE}/lecture/{FULL}/counts").text)

    assert '<p class="huge">1<small>of 3 have it</small>' in page
    assert "<b>1</b> made a mistake here" in page and "<b>1</b> without an answer so far" in page
    assert "Ada" not in page and "Ben" not in page
    assert 'rel="prev"' in page and 'rel="next"' in page
    assert staff.open(f"{HERE}/lecture/{FULL}/nothing").status_code == 404


def test_a_students_page_is_for_those_who_look_after_them(drawn: Class, staff: Window, window: OpenWindow) -> None:
    ada = f"{HERE}/students/{drawn.ada.id}"

    page = staff.open(f"{ada}?exercise={FULL}&step=counts").text

    assert page.count('class="strip"') == 2 and "attempt 1: 5, attempt 2: 26" in page
    assistant = window(drawn.assistant)
    assert assistant.open(ada).status_code == 404
    assert assistant.open(f"{HERE}/students/{drawn.ben.id}").status_code == 200
    assert window(drawn.ada.token).open(ada).status_code == 403


def test_a_submission_is_its_owners_and_its_staffs(drawn: Class, staff: Window, window: OpenWindow) -> None:
    address = f"/submissions/{drawn.submissions['ben']}"
    statuses = {
        name: window(token).open(address).status_code
        for name, token in (("owner", drawn.ben.token), ("other", drawn.ada.token), ("staff", drawn.assistant))
    }

    page = staff.open(address).text

    assert statuses == {"owner": 200, "other": 404, "staff": 200}
    assert HOSTILE not in page and "&lt;img src=x" in page
    assert 'href="#step-counts"' in page and "missing term" in page
    assert "Points by hand" in page and "Points by hand" not in window(drawn.ben.token).open(address).text
    assert staff.open(f"{address}/source").headers["content-disposition"].startswith("attachment")
    assert "file of tensors" in staff.open(f"/submissions/{drawn.submissions['tensors']}").text


def test_what_is_wrong_stands_before_the_code(drawn: Class, staff: Window) -> None:
    page = staff.open(f"/submissions/{drawn.submissions['ben']}").text

    assert page.index('class="stack findings"') < page.index('id="code-title"') < page.index('id="rows-title"')
    assert page.index('id="rows-title"') < page.index('class="stack talk"')


def test_staff_comment_and_the_student_reads(drawn: Class, staff: Window, window: OpenWindow) -> None:
    address = f"/submissions/{drawn.submissions['ben']}"
    ben = window(drawn.ben.token)

    written = staff.send(f"{address}/comments", step="counts", text=f"Twice. {HOSTILE}")

    assert written.status_code == 303
    page = ben.open(address).text
    assert "Twice. &lt;img" in page and 'class="thread" aria-label="Comments on line' in page
    assert ben.send(f"{address}/comments", text="Me too").status_code == 403
    comment = re.findall(r"comments/(\d+)/withdraw", staff.open(address).text)[-1]
    assert window(drawn.assistant).send(f"{address}/comments/{comment}/withdraw").status_code == 403
    assert staff.send(f"{address}/comments/{comment}/withdraw").status_code == 303
    assert "Twice." not in ben.open(address).text


def test_an_instructor_gives_points_and_takes_them_back(drawn: Class, staff: Window, window: OpenWindow) -> None:
    address = f"/submissions/{drawn.submissions['ben']}"

    refused = window(drawn.assistant).send(f"{address}/override", points="3", reason="On paper")
    unreadable = staff.send(f"{address}/override", points="many", reason="On paper")
    too_many = staff.send(f"{address}/override", points="900", reason="On paper")
    without_reason = staff.send(f"{address}/override", points="7", reason="")
    given = staff.send(f"{address}/override", points="7,5", reason="On paper")

    assert (refused.status_code, unreadable.status_code, given.status_code) == (403, 422, 303)
    assert 'value="many"' in unreadable.text and 'value="On paper"' in unreadable.text
    assert '<p class="err" id="e-points">' in unreadable.text and '<p class="err" id="e-points">' in too_many.text
    assert '<p class="err" id="e-reason">' in without_reason.text
    assert "<strong>7.5 points</strong> by Quinn" in window(drawn.ben.token).open(address).text
    (override,) = re.findall(r"override/(\d+)/withdraw", staff.open(address).text)
    assert staff.send(f"{address}/override/{override}/withdraw").status_code == 303
    assert "7.5 points" not in staff.open(address).text
    assert drawn.count(OverrideRow) == 1


@pytest.mark.parametrize(
    "slug", ["basics/neuron", "classics/hinge", "puzzles/relu", "transformer/gelu", "drills/missing-term-1"]
)
def test_an_exercise_of_any_pack_has_its_pages(drawn: Class, window: OpenWindow, slug: str) -> None:
    exercise = find(slug)
    step = exercise.checkpoints[0].name
    there = drawn.server.open_course(slug.replace("/", "-"))
    with drawn.server.services.database.writing() as session:
        course = session.exec(select(CourseRow).where(CourseRow.slug == there.slug)).one()
        course.packs = {exercise.slug.partition("/")[0]: "0" * 64}
    answer = there.student.submit_code(f"{exercise.solution}\nd{step} = 3.0 * d{step}", exercise=slug)
    student, staff = window(there.student.token), window(there.instructor.token)
    here, submission = f"/courses/{there.slug}", f"/submissions/{answer.json()['id']}"

    pages = [visitor.open(submission) for visitor in (student, staff)]
    pages += [staff.open(f"{here}/{page}?exercise={slug}") for page in ("class", "hurts")]
    pages.append(staff.open(f"{here}/lecture/{slug}/{step}"))

    assert answer.json()["status"] == "graded"
    assert [page.status_code for page in pages] == [200] * 5


def test_code_that_reached_no_step_was_handed_in(drawn: Class, window: OpenWindow) -> None:
    there = drawn.server.open_course("stopping")
    answer = there.student.submit_code("raise ValueError('shapes')")

    page = window(there.instructor.token).open(f"/courses/stopping/hurts?exercise={FULL}").text

    assert answer.json()["status"] == "graded"
    assert "Nobody has handed in yet" not in page
    assert "The code of 1 student ran, and set no step that is asked for." in page
    assert "Code that stops" in page and "1 of 1 still do" in page


def test_what_waits_is_taken_out_and_put_back(drawn: Class, staff: Window, window: OpenWindow) -> None:
    drawn.server.services.dispatcher.stop()
    cleo = drawn.server.join("Dora")
    id = cleo.submit_code("dlogits = 1", wait=0).json()["id"]
    address, owner = f"/submissions/{id}", window(cleo.token)

    assert "It waits for its turn" in owner.open(address).text
    assert owner.send(f"{address}/cancel").status_code == 303
    assert "It was taken out of the queue" in owner.open(address).text
    assert owner.send(f"{address}/release").status_code == 403
    assert staff.send(f"{address}/release").status_code == 303
    assert staff.send(f"{address}/release").status_code == 409
    with drawn.server.services.database.writing() as session:
        session.exec(select(TicketRow)).one().state = TicketState.QUARANTINED
    assert "It was set aside" in owner.open(address).text
    with drawn.server.services.database.writing() as session:  # the others count without Dora
        session.get_one(SeatRow, (1, cleo.id)).removed_at = session.get_one(CourseRow, 1).created_at


def test_a_history_compares_two_attempts(drawn: Class, staff: Window, window: OpenWindow) -> None:
    address = f"{HERE}/exercises/{FULL}/history"
    ada = window(drawn.ada.token)

    page = ada.open(address).text

    assert "From attempt 1 to attempt 2" in page and "own mistake, now exact" in page
    assert page.count('class="del"') == 2 and 'class="s add">+' in page  # one line, side by side and as one
    assert HOSTILE not in page
    other = f"{address}?one={drawn.submissions['first']}&other={drawn.submissions['ben']}"
    assert ada.open(other).status_code == 404
    assert ada.open(f"{address}?student={drawn.ben.id}").status_code == 403
    assert "Ada: 2 attempts" in staff.open(f"{address}?student={drawn.ada.id}").text
    assert window(drawn.assistant).open(f"{address}?student={drawn.ada.id}").status_code == 403


def test_withheld_results_show_nowhere(drawn: Class, window: OpenWindow, staff: Window) -> None:
    with drawn.server.services.database.writing() as session:
        due_at = session.get_one(CourseRow, 1).created_at.replace(year=2100)
        session.add(AssignmentRow(course_id=1, exercise=FULL, position=1, due_at=due_at, feedback=Feedback.AFTER_DUE))
    ben = window(drawn.ben.token)

    submission = ben.open(f"/submissions/{drawn.submissions['ben']}").text
    history = ben.open(f"{HERE}/exercises/{FULL}/history").text

    assert "Your answer is kept and counts." in submission
    for page in (submission, history):
        assert "missing term" not in page and "m-own" not in page.partition("</defs>")[2]
        assert 'class="strip"' not in page
    assert "missing term" in staff.open(f"/submissions/{drawn.submissions['ben']}").text
    with drawn.server.services.database.writing() as session:
        session.delete(session.exec(select(AssignmentRow)).one())


def test_an_empty_course_says_what_to_do(drawn: Class, window: OpenWindow) -> None:
    with drawn.server.services.database.writing() as session:
        course = courses.open_course(session, "empty", "Empty")
        token = courses.enrol(session, course, "Ida", Role.INSTRUCTOR).token
        admin = accounts.open_account(session, "Root")
        admin.is_admin = True
    visitor = window(token)

    assert "Nobody is here yet" in visitor.open("/courses/empty/class").text
    assert "There is no student<" in visitor.open("/courses/empty/gradebook").text
    for path in ("class", "gradebook"):
        assert (
            '<a class="btn first" href="/courses/empty/people">Add people'
            in visitor.open(f"/courses/empty/{path}").text
        )
    for path in ("people", "people?role=student"):
        assert "No student has joined yet" in visitor.open(f"/courses/empty/{path}").text
    assert "Nobody is found" in visitor.open("/courses/empty/people?role=assistant").text
    assert "Nobody has joined yet. Show the class a join code." in visitor.open("/courses").text
    assert "Nobody has handed in yet" in visitor.open("/courses/empty/hurts").text
    assert "Nothing was handed in yet" in visitor.open(f"/courses/empty/exercises/{FULL}/history").text
    assert "of 0 have it" in visitor.open(f"/courses/empty/lecture/{FULL}/h").text


def test_an_empty_section_says_that_it_is_one(drawn: Class, window: OpenWindow) -> None:
    with drawn.server.services.database.writing() as session:
        course = courses.open_course(session, "of-two", "Of two")
        courses.enrol(session, course, "Uma", Role.STUDENT, "A")
        token = courses.enrol(session, course, "Bo", Role.ASSISTANT, "B").token
    visitor = window(token)

    pages = {path: visitor.open(f"/courses/of-two/{path}").text for path in ("class", "people", "gradebook", "hurts")}

    for path in ("class", "people"):
        assert "No student is in section B yet" in pages[path] and "Your instructor lets them in" in pages[path]
        assert "join code" not in pages[path].lower()
    assert "There is no student in section B" in pages["gradebook"]
    assert "Nobody in section B has handed in yet" in pages["hurts"]
    assert "No student is in your section yet." in visitor.open("/courses").text


def test_a_class_of_which_nobody_began_is_not_said_to_have_run(drawn: Class, window: OpenWindow) -> None:
    with drawn.server.services.database.writing() as session:
        course = courses.open_course(session, "idle", "Idle")
        courses.enrol(session, course, "Ole", Role.STUDENT)
        visitor = window(courses.enrol(session, course, "Per", Role.INSTRUCTOR).token)

    page, filtered = (visitor.open(f"/courses/idle/class{query}").text for query in ("", "?show=never_ran"))

    assert re.search(r"<dt>no run yet</dt><dd [^>]+>1</dd>", page)
    assert "No student is at work without a run that could be compared" in filtered
    assert "1 student is in another state" in filtered


@pytest.mark.parametrize(
    "path",
    ["/courses/nowhere/class", "/submissions/9999", f"/courses/{COURSE}/extensions/77/revoke"],
)
def test_a_page_says_no_requests_of_the_api(staff: Window, path: str) -> None:
    answer = staff.open(path)

    assert answer.status_code == 404
    assert "api" not in without_chance(answer.text).lower()
