"""Joining a course in a browser."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.servers import COURSE, RunningServer
from tests.support.windows import Window

OpenWindow = Callable[..., Window]


def test_a_code_and_a_name_make_an_account_with_a_session(server: RunningServer, window: OpenWindow) -> None:
    guest = window()

    answer = guest.send("/join", on="/join", code=server.join_code.lower(), name="Lea")

    assert answer.headers["location"] == "/courses?note=joined"
    assert "Lea" in guest.open("/courses").text
    keys = guest.open("/account").text
    assert keys.count(">this browser<") == 1 and "A program" not in keys


def test_the_page_names_the_course_of_a_code(server: RunningServer, window: OpenWindow) -> None:
    right, wrong = (window().open(f"/join?code={code}").text for code in (server.join_code, "AAAAA-AAAAA"))

    assert "Becoming a backprop ninja" in right
    assert "No course has this join code" in wrong


def test_the_page_tells_how_the_command_line_does_it(window: OpenWindow) -> None:
    assert "dojo join http://testserver" in window().open("/join").text


def test_who_is_signed_in_joins_with_their_account(server: RunningServer, window: OpenWindow) -> None:
    there = server.open_course("spring")
    code = there.instructor.get(f"{there.address}/join-codes").json()["join_codes"][0]["code"]
    guest = window(server.join("Max").token)

    answer = guest.send("/join", on="/join", code=code)

    assert answer.headers["location"] == "/courses?note=joined" and "set-cookie" not in answer.headers
    assert "Spring" in guest.open("/courses").text


def test_a_personal_link_needs_no_name(server: RunningServer, window: OpenWindow) -> None:
    link = server.instructor.post(f"/api/v1/courses/{COURSE}/people", json={"name": "Nia"}).json()["link"]
    guest = window()

    assert guest.send("/join", on="/join", code=link, name="").status_code == 303
    assert "Nia" in guest.open("/courses").text


def test_a_personal_link_is_taken_over_by_who_is_signed_in(server: RunningServer, window: OpenWindow) -> None:
    there = server.open_course("winter")
    link = there.instructor.post(f"{there.address}/people", json={"name": "Olli"}).json()["link"]
    guest = window(server.join("Olli Virtanen").token)

    guest.send("/join", on="/join", code=link)

    page = guest.open("/courses").text
    assert "Winter" in page and "Olli Virtanen" in page


def test_a_namesake_is_told_so(server: RunningServer, window: OpenWindow) -> None:
    server.join("Pat")
    guest = window()

    answer = guest.send("/join", on="/join", code=server.join_code, name="pat")

    assert answer.headers["location"] == "/courses?note=namesake"
    assert "was in this course before" in guest.open("/courses?note=namesake").text


def test_what_is_wrong_stands_at_the_form_with_what_was_typed(server: RunningServer, window: OpenWindow) -> None:
    answers = [
        window().send("/join", on="/join", code=server.join_code, name=""),
        window().send("/join", on="/join", code=server.join_code, name="Quinn"),
        window().send("/join", on="/join", code="AAAAA-AAAAA", name='"><script>'),
        window().send("/join", on="/join", code="https://x.example/join#join_old", name=""),
    ]

    assert [answer.status_code for answer in answers] == [422, 409, 404, 404]
    assert all('role="alert"' in answer.text for answer in answers)
    assert 'value="&#34;&gt;&lt;script&gt;"' in answers[2].text
    assert "join_old" not in answers[3].text
