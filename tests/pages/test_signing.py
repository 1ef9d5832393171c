"""Signing in and out: what opens an account in a browser, and what no other site can do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.accounts import accounts
from server.database.table import now
from server.http.token_gate import SESSION_COOKIE
from server.pages.account.door import HOME, own_path
from server.pages.forms import FIELD
from server.pages.route import FRAGMENT_HEADER
from server.pairing.tries import Tries
from tests.support.servers import COURSE, RunningServer
from tests.support.windows import Window

OpenWindow = Callable[..., Window]


def has_session(server: RunningServer, token: str) -> bool:
    """Return whether a token opens an account now."""
    return server.client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_token_makes_a_session_of_its_own_and_stays_what_it_is(server: RunningServer, window: OpenWindow) -> None:
    token, guest = server.join("Ada").token, window()

    answer = guest.send("/sign-in", on="/sign-in", key=token)

    assert (answer.status_code, answer.headers["location"]) == (303, "/courses")
    assert guest.session not in (None, token)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "max-age=2592000" in cookie and "secure" not in cookie
    assert guest.open("/courses").status_code == 200
    assert has_session(server, token)


def test_over_tls_the_cookie_is_sent_over_tls_alone(server: RunningServer, window: OpenWindow) -> None:
    answer = window(scheme="https").send("/sign-in", on="/sign-in", key=server.join("Tess").token)

    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_pairing_code_signs_in_once(server: RunningServer, window: OpenWindow) -> None:
    code = server.join("Bo").post("/api/v1/pairing-codes").json()["code"]

    first, second = (window().send("/sign-in", on="/sign-in", key=f" {code.lower()} ") for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 404)
    assert "mistyped, was used" in second.text


def test_a_personal_link_signs_in_as_it_was_pasted(server: RunningServer, window: OpenWindow) -> None:
    link = server.instructor.post(f"/api/v1/courses/{COURSE}/people", json={"name": "Cleo"}).json()["link"]
    guest = window()

    assert guest.send("/sign-in", on="/sign-in", key=link).status_code == 303
    assert "Cleo" in guest.open("/courses").text


def test_a_join_code_leads_on_to_the_page_for_joining(server: RunningServer, window: OpenWindow) -> None:
    answer = window().send("/sign-in", on="/sign-in", key=server.join_code)

    assert answer.headers["location"] == f"/join?code={server.join_code}"
    assert SESSION_COOKIE not in answer.headers.get("set-cookie", "")


def test_what_was_typed_wrong_is_not_shown_again(window: OpenWindow) -> None:
    answers = [window().send("/sign-in", on="/sign-in", key=key) for key in ("dojo_wrong-token", "", "join_wrong")]

    assert [answer.status_code for answer in answers] == [401, 422, 404]
    assert all('role="alert"' in answer.text for answer in answers)
    assert not any("wrong-token" in answer.text or "join_wrong" in answer.text for answer in answers)


def test_a_planted_cookie_is_not_the_session_afterwards(server: RunningServer, window: OpenWindow) -> None:
    attacker, victim = server.join("Mallory").token, server.join("Vic").token
    guest = window(attacker)
    guest.send("/sign-in", on="/account", key=victim)

    name = guest.client.get("/account").text

    assert guest.session not in (attacker, victim)
    assert "Vic" in name and "Mallory" not in name


def test_signing_in_again_ends_the_session_before(server: RunningServer, window: OpenWindow) -> None:
    guest, token = window(), server.join("Dora").token
    guest.send("/sign-in", on="/sign-in", key=token)
    before = guest.session
    assert before is not None

    guest.send("/sign-in", on="/account", key=token)

    assert not has_session(server, before)
    assert guest.session is not None and has_session(server, guest.session)


def test_the_session_of_a_browser_opens_no_other_browser(server: RunningServer, window: OpenWindow) -> None:
    guest = window()
    guest.send("/sign-in", on="/sign-in", key=server.join("Ed").token)

    assert guest.session is not None
    assert window().send("/sign-in", on="/sign-in", key=guest.session).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
@pytest.mark.parametrize("path", ["/sign-in", "/join"])
def test_no_other_site_signs_anybody_in(
    server: RunningServer, window: OpenWindow, headers: dict[str, str], path: str
) -> None:
    fields = {"key": server.instructor_token, "code": server.join_code, "name": "Eve"}
    answer = window().client.post(path, data=fields, headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/sign-out", "/account/devices", "/account/theme", "/join", "/sign-in"])
def test_a_form_needs_the_number_of_its_session(server: RunningServer, window: OpenWindow, path: str) -> None:
    one, other = window(server.join("Fay").token), window(server.join("Gus").token)
    stolen = other.form_token()

    for token in ("", "AAAA", stolen):
        assert one.client.post(path, data={FIELD: token, "where": "all"}).status_code == 403
    assert one.open("/account").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "courses",
        "",
        "/" + "a" * 600,
        "/courses\N{FULLWIDTH SOLIDUS}",
    ],
)
def test_nobody_is_led_to_another_server(address: str) -> None:
    assert own_path(address) == HOME


def test_a_part_of_a_page_tells_a_stranger_to_sign_in(window: OpenWindow) -> None:
    """A redirect would be followed, and the whole page to sign in stand within the page."""
    part = window().open("/account", headers={FRAGMENT_HEADER: "true"})

    assert part.status_code == 401
    assert 'role="alert"' in part.text and 'href="/sign-in"' in part.text
    assert "<html" not in part.text


def test_whoever_signed_in_goes_on_where_they_were(server: RunningServer, window: OpenWindow) -> None:
    asked = window().open("/account?done=device")
    assert asked.headers["location"] == "/sign-in?next=/account%3Fdone%3Ddevice"

    answer = window().send("/sign-in", on="/sign-in", key=server.join("Hal").token, next="/account?done=device")

    assert answer.headers["location"] == "/account?done=device"


def test_signing_out_ends_this_session_alone(server: RunningServer, window: OpenWindow) -> None:
    token = server.join("Ida").token
    here, there = window(), window()
    for each in (here, there):
        each.send("/sign-in", on="/sign-in", key=token)
    ended = here.session
    assert ended is not None

    answer = here.send("/sign-out")

    assert answer.headers["location"] == "/sign-in?out=true" and here.session is None
    assert not has_session(server, ended)
    assert there.open("/account").status_code == 200 and has_session(server, token)


@pytest.mark.parametrize(("where", "token_stays"), [("browsers", True), ("all", False)])
def test_signing_out_everywhere(server: RunningServer, window: OpenWindow, where: str, token_stays: bool) -> None:
    student = server.join("Jo")
    code = student.post("/api/v1/pairing-codes").json()["code"]
    here, there = window(), window()
    for each in (here, there):
        each.send("/sign-in", on="/sign-in", key=student.token)

    here.send("/sign-out", where=where)

    assert there.open("/account").headers["location"].startswith("/sign-in")
    assert has_session(server, student.token) is token_stays
    assert window().send("/sign-in", on="/sign-in", key=code).status_code == 404


def test_a_session_that_has_ended_is_nobody_again(server: RunningServer, window: OpenWindow) -> None:
    student = server.join("Kim")
    with server.services.database.writing() as session:
        ended = accounts.issue_token(session, student.id, device="Firefox", expires_at=now())
    guest = window(ended)

    assert guest.open("/courses").headers["location"] == "/sign-in?next=/courses"
    assert guest.open("/sign-in").status_code == 200
    assert guest.send("/sign-in", on="/sign-in", key=student.token).status_code == 303


def test_codes_are_tried_a_few_times_a_minute(server: RunningServer, window: OpenWindow) -> None:
    app = server.client.app
    before, app.state.pairing_tries = app.state.pairing_tries, Tries(per_address=2)  # type: ignore[attr-defined]
    try:
        statuses = [window().send("/sign-in", on="/sign-in", key="AAAAA-AAAAA").status_code for _ in range(3)]
    finally:
        app.state.pairing_tries = before  # type: ignore[attr-defined]

    assert statuses == [404, 404, 429]


def test_a_form_in_an_encoding_of_its_own_is_not_decoded(server: RunningServer, window: OpenWindow) -> None:
    member = window(server.join("Ivo").token)
    field = f'--b\r\nContent-Disposition: form-data; name="{FIELD}"\r\n\r\n{member.form_token()}\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b"

    answers = [
        member.client.post("/account/theme", content=field, headers={"Content-Type": each})
        for each in (kind, f"{kind}; charset=punycode", f"{kind}; CharSet*=utf-8''punycode")
    ]

    assert [each.status_code for each in answers] == [303, 415, 415]


def test_a_form_of_a_script_may_say_that_it_is_utf_8(server: RunningServer, window: OpenWindow) -> None:
    member = window(server.join("Ivo").token)
    kind = "application/x-www-form-urlencoded;charset=UTF-8"  # fetch() says so of URLSearchParams

    answer = member.client.post(
        "/account/theme", content=f"{FIELD}={member.form_token()}", headers={"Content-Type": kind}
    )

    assert answer.status_code == 303
