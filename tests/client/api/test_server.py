"""The server as an object: what it sends, to whom, how often, and what it makes of answers."""

from __future__ import annotations

import itertools
from dataclasses import replace

import httpx2 as httpx
import pytest

from dojo import errors
from dojo.api.server import Server
from tests.client.fake import ADDRESS, SLUG, TOKEN, FakeDojo, problem


def server(fake: FakeDojo, token: str | None = TOKEN) -> Server:
    return Server(ADDRESS, token, fake.network)


def hasty(fake: FakeDojo) -> Server:
    """The same server, seen through a clock that goes on by a second at each look."""
    clock = itertools.count()
    return Server(ADDRESS, TOKEN, replace(fake.network, now=lambda: float(next(clock))))


@pytest.mark.parametrize("course", ["../me", "a..b", "A", "a/b", "", "a?b"])
def test_a_course_cannot_be_anything_else(fake: FakeDojo, course: str) -> None:
    with pytest.raises(errors.BadFile, match="dojo profile"):
        server(fake).exercises(course)
    assert not fake.requests


def test_another_exercise_is_no_answer(fake: FakeDojo) -> None:
    fake.before = lambda _: httpx.Response(200, json={**fake.exercise(), "slug": "makemore/other"})
    with pytest.raises(errors.NotADojo, match="another exercise"):
        server(fake).exercise("autumn", SLUG)


def test_every_request_names_the_version_of_the_api(fake: FakeDojo) -> None:
    server(fake).me()
    assert fake.requests[-1].headers["Dojo-API"] == "1"
    assert fake.requests[-1].headers["User-Agent"].startswith("dojo/")


def test_a_list_of_submissions_is_filtered(fake: FakeDojo) -> None:
    server(fake).submissions("autumn", exercise=SLUG, limit=7)
    assert dict(fake.requests[-1].url.params) == {"student": "me", "limit": "7", "exercise": SLUG}
    server(fake).submissions("autumn", exercise=None, limit=1)
    assert dict(fake.requests[-1].url.params) == {"student": "me", "limit": "1"}


def test_a_request_that_waits_has_more_time(fake: FakeDojo) -> None:
    server(fake).submit_code("autumn", SLUG, "a.py", "", wait=20)
    assert fake.requests[-1].extensions["timeout"]["read"] == 50.0


@pytest.mark.parametrize(("seconds", "silence"), [(3, 3), (600, 30.0)])
def test_a_stream_may_be_silent_for_30_seconds(fake: FakeDojo, seconds: float, silence: float) -> None:
    fake.waits = 2
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "", wait=1)
    server(fake).wait_for(submission, seconds=seconds)
    assert fake.requests[-1].extensions["timeout"]["read"] == silence


def test_a_download_reports_its_progress(fake: FakeDojo) -> None:
    seen: list[tuple[int, int]] = []
    server(fake).state("autumn", SLUG, transferred=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(fake.content), len(fake.content))
    assert all(done <= total for done, total in seen)


def test_a_redirect_is_not_followed(fake: FakeDojo) -> None:
    fake.before = lambda _: httpx.Response(307, headers={"Location": "https://evil.test/api/v1/me"})
    with pytest.raises(errors.ServerError, match=r"redirects to https://evil\.test") as caught:
        server(fake).me()
    assert {request.url.host for request in fake.requests} == {"dojo.test"}
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("target", [b"https://evil.test/\x9b2J", b"/login", b"https://x.test/; rm -rf ~", b""])
def test_a_redirects_target_is_named_only_if_it_is_an_address(fake: FakeDojo, target: bytes) -> None:
    fake.before = lambda _: httpx.Response(307, headers={b"Location": target})
    with pytest.raises(errors.ServerError, match="redirects to another address"):
        server(fake).me()


def test_the_token_is_in_no_text(fake: FakeDojo) -> None:
    assert TOKEN not in repr(server(fake))


def test_a_submission_is_repeated_under_its_key(fake: FakeDojo) -> None:
    failures = iter([httpx.ReadError("gone"), httpx.ConnectError("gone")])

    def broken(_: httpx.Request) -> httpx.Response | None:
        for failure in failures:
            raise failure
        return None

    fake.before = broken
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "dcounts = 2 / counts", wait=1)
    keys = [request.headers["Idempotency-Key"] for request in fake.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert submission.grade is not None
    assert submission.grade.passed == 1


def test_each_submission_has_a_key_of_its_own(fake: FakeDojo) -> None:
    for _ in range(2):
        server(fake).submit_code("autumn", SLUG, "a.py", "", wait=1)
    assert len({request.headers["Idempotency-Key"] for request in fake.requests}) == 2


def test_joining_is_not_repeated(fake: FakeDojo) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone")

    fake.before = broken
    with pytest.raises(errors.Unreachable):
        server(fake, None).join("CODE", "Ada")
    assert len(fake.requests) == 1


def test_joining_is_repeated_without_a_connection(fake: FakeDojo) -> None:
    failures = iter([httpx.ConnectError("refused")])

    def broken(_: httpx.Request) -> httpx.Response | None:
        for failure in failures:
            raise failure
        return None

    fake.before = broken
    assert server(fake, None).join("CODE", "Ada")["token"] == TOKEN
    assert len(fake.requests) == 2


def test_a_server_that_is_late_is_told_apart(fake: FakeDojo) -> None:
    def late(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late")

    fake.before = late
    with pytest.raises(errors.Unreachable, match="did not answer in time"):
        server(fake).me()


def test_a_server_that_cannot_be_reached(fake: FakeDojo) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    fake.before = broken
    with pytest.raises(errors.Unreachable, match="could not be reached") as caught:
        server(fake).me()
    assert caught.value.exit_code == 3
    assert len(fake.requests) == 3


def test_an_untrusted_certificate_is_said_so(fake: FakeDojo) -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")

    fake.before = broken
    with pytest.raises(errors.Unreachable, match="not trusted"):
        server(fake).me()


def test_a_problems_detail_is_shown(fake: FakeDojo) -> None:
    with pytest.raises(errors.Unauthorized, match=r"Type: dojo login https://dojo\.test$"):
        server(fake, "another").me()
    with pytest.raises(errors.NotFound, match="dojo history"):
        server(fake).submission(99)


def refusal(status: int, kind: str) -> httpx.Response:
    """Return a problem with advice for users of the API."""
    message = "There is none."
    body = {"type": f"urn:dojo:problem:{kind}", "detail": f"{message} GET /api/v1/… lists them.", "message": message}
    return httpx.Response(status, headers={"Content-Type": "application/problem+json"}, json=body)


@pytest.mark.parametrize(
    ("status", "kind", "next_step"),
    [
        (404, "unknown-course", "See yours: dojo profile"),
        (404, "unknown-training-run", "See yours: dojo train --history"),
        (404, "http-404", "The server and this dojo may not fit together. Install the client of this server, as"),
        (405, "http-405", "The server and this dojo may not fit together. Install the client of this server, as"),
        (409, "wrong-state", ""),
    ],
)
def test_advice_for_users_of_the_api_is_not_shown(fake: FakeDojo, status: int, kind: str, next_step: str) -> None:
    fake.before = lambda _: refusal(status, kind)

    with pytest.raises(errors.Refused) as refused:
        server(fake).me()

    assert refused.value.message == "There is none."
    assert refused.value.next_step.startswith(next_step)
    assert bool(refused.value.next_step) == bool(next_step)


@pytest.mark.parametrize(
    ("typed", "message", "next_step"),
    [
        ("makemore/cross-entropi", "There is no exercise “makemore/cross-entropi”", f"Did you mean {SLUG}? See all: "),
        ("cross-entropy", "“cross-entropy” is no exercise.", f"Did you mean {SLUG}? See all: dojo list"),
        ("makemore/gibberish", "There is no exercise “makemore/gibberish” in", "See which there are: dojo list"),
    ],
)
def test_an_unknown_exercise_is_answered_with_those_like_it(
    fake: FakeDojo, typed: str, message: str, next_step: str
) -> None:
    name = typed.rpartition("/")[2]
    fake.before = lambda request: refusal(404, "unknown-exercise") if name in str(request.url) else None

    for ask in (exercise_of, submissions_of):
        with pytest.raises(errors.DojoError) as unknown:
            ask(fake, typed)

        assert unknown.value.message.startswith(message)
        assert unknown.value.next_step.startswith(next_step)


def exercise_of(fake: FakeDojo, exercise: str) -> object:
    return server(fake).exercise("autumn", exercise)


def submissions_of(fake: FakeDojo, exercise: str) -> object:
    return server(fake).submissions("autumn", exercise=exercise, limit=1)


def test_an_html_page_is_no_dojo(fake: FakeDojo) -> None:
    fake.headers = {}
    fake.before = lambda _: httpx.Response(200, html="<h1>Welcome</h1>")
    with pytest.raises(errors.NotADojo, match="no Backprop Dojo server"):
        server(fake).me()
    fake.before = lambda _: httpx.Response(404, html="<h1>Not found</h1>")
    with pytest.raises(errors.NotADojo):
        server(fake).me()


@pytest.mark.parametrize("content", [b"{", b"[1]", b"3", b"", b"[" * 100_000])
def test_an_answer_must_be_a_json_object(fake: FakeDojo, content: bytes) -> None:
    fake.before = lambda _: httpx.Response(200, content=content)
    with pytest.raises(errors.NotADojo, match="no Backprop Dojo server"):
        server(fake).me()


def test_a_problem_without_detail_shows_its_title(fake: FakeDojo) -> None:
    fake.before = lambda _: httpx.Response(422, json={"title": "Invalid request", "detail": None})
    with pytest.raises(errors.Refused, match=r"^Invalid request"):
        server(fake).me()
    fake.before = lambda _: httpx.Response(418, text="tea")
    with pytest.raises(errors.Refused, match=r"answered 418 I'm a teapot\."):
        server(fake).me()


@pytest.mark.parametrize(
    ("version", "says"),
    [("2", "https://dojo.test/client says"), ("0", "ask your instructor"), ("beta", "ask your instructor")],
)
def test_another_api_version_says_who_must_upgrade(fake: FakeDojo, version: str, says: str) -> None:
    fake.headers = {"Dojo-API": version}
    with pytest.raises(errors.Outdated, match=says):
        server(fake).me()


def test_a_server_may_refuse_old_clients(fake: FakeDojo) -> None:
    fake.before = lambda _: problem(426, "This dojo is too old.")
    with pytest.raises(errors.Outdated, match=r"https://dojo\.test/client says"):
        server(fake).me()


def test_a_short_pause_is_slept_a_long_one_told(fake: FakeDojo) -> None:
    answers = iter([problem(429, "Slow down.", Retry_After="2"), None])
    fake.before = lambda _: next(answers)
    pauses: list[float] = []
    patient = Server(ADDRESS, TOKEN, replace(fake.network, sleep=pauses.append))
    assert patient.me()["name"] == "Ada"
    assert pauses == [2.0]
    fake.before = lambda _: problem(429, "Come back tomorrow.", Retry_After="86400")
    with pytest.raises(errors.TooManyRequests, match="tomorrow"):
        patient.me()
    assert pauses == [2.0]


@pytest.mark.parametrize(
    ("status", "headers", "pauses"),
    [
        (429, {"Retry-After": "3"}, [3.0, 3.0]),
        (429, {"Retry-After": "15"}, [15.0, 15.0]),
        (429, {"Retry-After": "16"}, []),
        (429, {"Retry-After": "0"}, [0.2, 0.8]),
        (429, {}, [1.0, 1.0]),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, [1.0, 1.0]),
        (503, {"Retry-After": "3"}, [3.0, 3.0]),
        (503, {}, [0.2, 0.8]),
        (500, {}, [0.2, 0.8]),
        (422, {}, []),
        (401, {}, []),
    ],
)
def test_pauses_between_attempts(fake: FakeDojo, status: int, headers: dict[str, str], pauses: list[float]) -> None:
    fake.before = lambda _: problem(status, "No.", **headers)
    slept: list[float] = []
    patient = Server(ADDRESS, TOKEN, replace(fake.network, sleep=slept.append))
    with pytest.raises(errors.ServerError, match=r"No\."):
        patient.me()
    assert slept == pauses


def test_pauses_between_looks_grow_to_two_seconds(fake: FakeDojo) -> None:
    fake.waits, fake.events = 15, False
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "", wait=1)
    slept: list[float] = []
    patient = Server(ADDRESS, TOKEN, replace(fake.network, sleep=slept.append))
    assert patient.wait_for(submission, seconds=600).graded
    assert slept == sorted(slept)
    assert (slept[0], slept[-1]) == (0.2, 2.0)


def test_without_time_to_wait_nobody_is_asked(fake: FakeDojo) -> None:
    fake.waits = 3
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "", wait=0)
    fake.requests.clear()
    assert server(fake).wait_for(submission, seconds=0) == submission
    assert not fake.requests


@pytest.mark.parametrize(
    ("events", "breaks_after", "asked"), [(True, None, 0), (False, None, 4), (True, 2, 2), (True, 0, 4)]
)
def test_waiting_polls_if_events_break(fake: FakeDojo, events: bool, breaks_after: int | None, asked: int) -> None:
    fake.waits, fake.events, fake.breaks_after = 4, events, breaks_after
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "", wait=1)
    assert (submission.place, submission.estimate) == (4, 8)
    places = []
    graded = server(fake).wait_for(submission, seconds=60, changed=lambda each: places.append(each.place))
    assert graded.graded
    assert places == [3, 2, 1, None]
    assert len([each for each in fake.requests if each.url.path.endswith("/submissions/1")]) == asked


@pytest.mark.parametrize("events", [True, False])
def test_waiting_ends_when_the_time_is_over(fake: FakeDojo, events: bool) -> None:
    fake.waits, fake.events = 10_000, events
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "", wait=1)
    assert hasty(fake).wait_for(submission, seconds=3).waiting
    assert len(fake.requests) < 20


def test_a_stream_of_comments_ends_at_the_deadline(fake: FakeDojo) -> None:
    fake.waits = 3
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "", wait=1)
    comments = httpx.Response(
        200, headers={"Content-Type": "text/event-stream"}, content=itertools.repeat(b": ping\n\n")
    )
    fake.before = lambda request: comments if "events" in request.url.path else None
    assert hasty(fake).wait_for(submission, seconds=5).waiting


def test_waiting_ends_with_what_is_never_graded(fake: FakeDojo) -> None:
    fake.waits, fake.ends = 2, "cancelled"
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "", wait=1)
    ended = server(fake).wait_for(submission, seconds=60)
    assert (ended.status, ended.waiting, ended.graded) == ("cancelled", False, False)


def test_a_page_instead_of_events_is_no_crash(fake: FakeDojo) -> None:
    fake.waits = 3
    submission = server(fake).submit_code("autumn", SLUG, "a.py", "", wait=1)
    fake.before = lambda request: httpx.Response(200, html="hello") if "events" in request.url.path else None
    assert server(fake).wait_for(submission, seconds=60).graded


def test_escape_sequences_do_not_come_through(fake: FakeDojo) -> None:
    fake.before = lambda _: problem(422, "\x1b]0;title\x07\x1b[31mred\x9b2J\u202e!")
    with pytest.raises(errors.Refused) as caught:
        server(fake).me()
    assert str(caught.value).strip() == "red2J!"


@pytest.mark.parametrize("answer", [{"name": "Ada"}, {"exercises": 3}, {"exercises": [{"slug": 1}]}])
def test_an_unexpected_answer_is_no_crash(fake: FakeDojo, answer: dict[str, object]) -> None:
    fake.before = lambda _: httpx.Response(200, json=answer)
    with pytest.raises(errors.NotADojo):
        server(fake).exercises("autumn")


def test_only_web_addresses_are_links(fake: FakeDojo) -> None:
    hostile = {**fake.exercise(), "lecture_url": "javascript:alert(1)"}
    fake.before = lambda _: httpx.Response(200, json=hostile)
    assert server(fake).exercise("autumn", SLUG).lecture_url is None


def test_a_state_without_end_is_not_kept(fake: FakeDojo) -> None:
    narrow = Server(ADDRESS, TOKEN, replace(fake.network, answer_bytes_max=10))
    with pytest.raises(errors.NotADojo, match="more than any answer"):
        narrow.state("autumn", SLUG)
    wide = Server(ADDRESS, TOKEN, replace(fake.network, answer_bytes_max=len(fake.content)))
    assert wide.state("autumn", SLUG) == fake.content


@pytest.mark.parametrize("code", ["", "x; rm -rf ~", "K7QF2\n9TXMD", "K" * 99, 7])
def test_a_pairing_code_that_is_none_is_refused(fake: FakeDojo, code: object) -> None:
    fake.before = lambda _: httpx.Response(201, json={"code": code, "expires_at": "2026-01-02T03:14:05Z"})

    with pytest.raises(errors.NotADojo):
        fake.connection.server.new_pairing_code()


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "é", "x" * 1000, None])
def test_a_token_that_is_none_is_refused(fake: FakeDojo, token: object) -> None:
    rest = {"student": {"id": 1, "name": "Ada"}, "course": {"slug": "autumn"}, "courses": []}
    fake.before = lambda _: httpx.Response(201, json={"token": token} | rest)

    with pytest.raises(errors.NotADojo, match="token"):
        fake.connection.server.pair("K7QF2-9TXMD")
    with pytest.raises(errors.NotADojo, match="token"):
        fake.connection.server.join("K7QF2-9TXMD", "Ada")


def test_a_paired_course_that_is_none_is_refused(fake: FakeDojo) -> None:
    student = {"id": 1, "name": "Ada"}
    fake.before = lambda _: httpx.Response(
        201, json={"token": TOKEN, "student": student, "courses": [{"slug": "../me"}]}
    )

    with pytest.raises(errors.NotADojo, match="slug"):
        fake.connection.server.pair("K7QF2-9TXMD")


def test_pairing_is_not_repeated_once_it_may_have_arrived(fake: FakeDojo) -> None:
    def breaks(_: httpx.Request) -> None:
        raise httpx.ReadError("broken")

    fake.before = breaks
    with pytest.raises(errors.Unreachable):
        fake.connection.server.pair("K7QF2-9TXMD")

    assert len(fake.requests) == 1
