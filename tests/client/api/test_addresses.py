"""Addresses and slugs: completed, or refused before they become part of a path."""

from __future__ import annotations

import pytest

from dojo import errors
from dojo.api.addresses import checked_slug, is_unencrypted, server_address


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("dojo.example.org", "https://dojo.example.org"),
        ("https://Dojo.Example.org/", "https://dojo.example.org"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000/api/v1/", "http://127.0.0.1:8000"),
        ("http://host:1/some/path/", "http://host:1/some/path"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_is_completed(typed: str, address: str) -> None:
    assert server_address(typed) == address


@pytest.mark.parametrize("typed", ["", "ftp://host", "https://", "https://me:secret@host", "host:notaport"])
def test_a_bad_address_is_refused(typed: str) -> None:
    with pytest.raises(errors.BadFile, match="Type it like this"):
        server_address(typed)


def test_only_plain_http_to_another_machine_travels_open() -> None:
    assert is_unencrypted("http://dojo.example.org")
    assert not is_unencrypted("https://dojo.example.org")
    assert not is_unencrypted("http://127.0.0.1:8000")


@pytest.mark.parametrize("slug", ["x", "a/b/c", "../x", "a/..", "a/x..y", "A/b", "a/b?c", "a/ b", "/a", "a/"])
def test_a_slug_cannot_be_anything_else(slug: str) -> None:
    with pytest.raises(errors.BadFile):
        checked_slug(slug)
