"""The files that pages load, compressed pages, and pages for what is not there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from server.pages.assets import STATIC, address, checksums
from server.pages.compression import takes_gzip
from tests.support.servers import RunningServer
from tests.support.windows import Window

OpenWindow = Callable[..., Window]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_every_file_is_listed_with_its_checksum() -> None:
    found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in STATIC.iterdir()}

    assert found.pop("manifest.json") and found == checksums()


def test_a_file_is_kept_for_as_long_as_it_is_the_same(server: RunningServer) -> None:
    named, plain = server.client.get(address("style.css")), server.client.get("/static/style.css")

    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "no-cache"
    again = server.client.get("/static/style.css", headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_comes_compressed_to_who_takes_that(server: RunningServer) -> None:
    packed = server.client.get(address("style.css"), headers={"Accept-Encoding": "gzip"})
    plain = server.client.get(address("style.css"), headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) * 3 < int(plain.headers["content-length"])
    assert packed.content == plain.content == (STATIC / "style.css").read_bytes()
    assert "text/css" in packed.headers["content-type"]


@pytest.mark.parametrize("name", ["../page.py", "..%2fpage.py", "manifest.json", "nothing.js", ""])
def test_no_other_file_is_served(server: RunningServer, name: str) -> None:
    assert server.client.get(f"/static/{name}").status_code == 404


def test_a_page_comes_compressed_and_an_answer_of_the_api_does_not(server: RunningServer, window: OpenWindow) -> None:
    student = server.join("Ada")
    page = window(student.token).open("/account", headers={"Accept-Encoding": "gzip"})
    answer = student.get("/api/v1/me", params={}, headers={"Accept-Encoding": "gzip"})

    assert page.headers["content-encoding"] == "gzip" and "Ada" in page.text
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("", False),
    ],
)
def test_what_a_browser_takes_is_read(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


def test_a_browser_gets_a_page_for_an_address_without_one(server: RunningServer, window: OpenWindow) -> None:
    page = window(server.join("Bo").token).open("/nothing/here", headers=BROWSER)
    answer, of_api = server.client.get("/nothing/here"), server.client.get("/api/v1/nothing", headers=BROWSER)

    assert page.status_code == 404 and "No such page" in page.text and "My courses" in page.text
    assert {each.headers["content-type"] for each in (answer, of_api)} == {"application/problem+json"}
