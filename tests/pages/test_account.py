"""My account: devices, another device, the theme, what is kept about me."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest

from server.pages.account.account import MADE
from server.pages.device import device_of
from tests.support.servers import RunningServer
from tests.support.windows import Window

OpenWindow = Callable[..., Window]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


def ids(page: str) -> list[int]:
    """Return the numbers of the keys that a page offers to revoke."""
    return [int(found) for found in re.findall(r"/account/devices/(\d+)/sign-out", page)]


def test_each_device_has_its_name_and_is_signed_out_alone(server: RunningServer, window: OpenWindow) -> None:
    token = server.join("Ada").token
    here, phone = window(), window()
    here.send("/sign-in", on="/sign-in", key=token, headers={"User-Agent": FIREFOX})
    phone.send("/sign-in", on="/sign-in", key=token, headers={"User-Agent": SAFARI})
    page = here.open("/account").text
    assert "Firefox on Linux" in page and "Safari on iPhone" in page and "A program" in page

    answer = here.send(f"/account/devices/{ids(page)[0]}/sign-out")

    assert answer.headers["location"].startswith("/account?done=device")
    assert phone.open("/account").status_code == 303
    assert "Safari on iPhone" not in here.open("/account").text


def test_nobody_signs_out_the_device_of_another(server: RunningServer, window: OpenWindow) -> None:
    ada, bob = window(), window()
    for guest, name in ((ada, "Ada L"), (bob, "Bob")):
        guest.send("/sign-in", on="/sign-in", key=server.join(name).token)
    (of_bob,) = ids(bob.open("/account").text)

    assert ada.send(f"/account/devices/{of_bob}/sign-out").status_code == 404
    assert of_bob in ids(bob.open("/account").text)


def test_a_code_for_another_device_is_shown_once(server: RunningServer, window: OpenWindow) -> None:
    here = window(server.join("Cy").token)

    made = here.send("/account/devices")
    assert made.headers["location"] == "/account" and "samesite=strict" in made.headers["set-cookie"].lower()
    shown = here.open("/account").text

    found = re.search(r'id="pairing-code">([A-Z0-9-]+)<', shown)
    assert found is not None and "<svg" in shown
    assert found.group(1) not in here.open("/account").text
    assert window().send("/sign-in", on="/sign-in", key=found.group(1)).status_code == 303


def test_a_planted_code_is_not_shown_as_ones_own(server: RunningServer, window: OpenWindow) -> None:
    foreign = server.join("Mallory").post("/api/v1/pairing-codes").json()["code"]
    here = window(server.join("Vic").token)
    here.client.cookies.set(MADE, foreign, domain="testserver.local", path="/account")

    page = here.open("/account")

    assert foreign not in page.text and here.client.cookies.get(MADE) is None


def test_the_theme_is_in_the_page_before_any_script(server: RunningServer, window: OpenWindow) -> None:
    here = window(server.join("Di").token)
    assert "data-theme=" not in here.open("/account").text

    here.send("/account/theme", theme="dark")
    assert '<html lang="en" data-theme="dark">' in here.open("/courses").text

    here.send("/account/theme", theme='"><script>')
    assert "data-theme=" not in here.open("/courses").text


def test_everything_about_me_comes_as_an_archive(server: RunningServer, window: OpenWindow) -> None:
    answer = window(server.join("Ed").token).open("/account/archive")

    assert "about.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("", "A browser"),
        ("curl/8.0 <script>", "A browser"),
    ],
)
def test_a_device_is_called_what_its_owner_calls_it(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device
