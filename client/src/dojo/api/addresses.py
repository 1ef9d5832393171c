"""Addresses of servers, links to elsewhere, and the parts of a path that name a course or an exercise."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from dojo.errors import BadFile
from dojo.text import printable

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LINK_CHARACTERS_MAX = 500
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def server_address(text: str) -> str:
    """Return the full address: ``dojo.example.org/`` → ``https://dojo.example.org``.

    Without a scheme it is http on this machine and https elsewhere.

    :raises BadFile: the text is no address of a server
    """
    text = text.strip()
    try:
        if "://" not in text:
            host = urlsplit(f"//{text}").hostname or ""
            text = f"{'http' if host in _LOCAL_HOSTS else 'https'}://{text}"
        parts = urlsplit(text)
        is_good = _is_web_address(parts) and parts.port != 0 and text.isprintable() and " " not in text
    except ValueError:  # the port is no number, or a bracket of IPv6 is not closed
        is_good = False
    if not is_good:
        raise BadFile(f"“{printable(text)}” is no server's address.", "Type it like this: https://dojo.example.org")
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))


def _is_web_address(parts: SplitResult) -> bool:
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and not parts.password


def safe_link(text: str) -> str | None:
    """Return a link that may be shown and opened, or None: https, or http to this machine, and nothing invisible."""
    try:
        parts = urlsplit(text)
        is_web = _is_web_address(parts) and (parts.scheme == "https" or parts.hostname in _LOCAL_HOSTS)
    except ValueError:
        return None
    is_plain = text.isascii() and text.isprintable() and not set(text) & set(" \"'<>\\^`{|}")
    return text if is_web and is_plain and len(text) <= _LINK_CHARACTERS_MAX else None


def is_unencrypted(address: str) -> bool:
    """Return whether others on the network can read a token that is sent to this address."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _LOCAL_HOSTS


def course_path(course: str) -> str:
    """Return the path of a course: ``courses/autumn``.

    :raises BadFile: the text cannot be a course's slug
    """
    if not is_slug(course):
        raise BadFile(f"“{printable(course)}” is no course.", "See your courses: dojo profile")
    return f"courses/{course}"


def exercise_path(course: str, slug: str) -> str:
    """Return the path of an exercise: ``courses/autumn/exercises/makemore/full-backward``.

    :raises BadFile: one of the texts cannot be a slug
    """
    return f"{course_path(course)}/exercises/{checked_slug(slug)}"


def checkpoint_path(course: str, slug: str, checkpoint: str) -> str:
    """Return the path of a step: ``courses/autumn/exercises/makemore/full-backward/checkpoints/bngain``.

    :raises BadFile: one of the texts cannot be a slug or the name of a step
    """
    if not checkpoint.isidentifier() or not checkpoint.isascii():
        raise BadFile(f"“{printable(checkpoint)}” is no step.", "See which there are: dojo status")
    return f"{exercise_path(course, slug)}/checkpoints/{checkpoint}"


def checked_slug(slug: str) -> str:
    """Return an exercise's slug, ``pack/name``, which becomes part of paths and of folder names.

    :raises BadFile: the text is no such slug
    """
    if not is_exercise_slug(slug):
        raise BadFile(f"“{printable(slug)}” is no exercise.", "See which there are: dojo list")
    return slug


def is_slug(text: str) -> bool:
    """Return whether a text can be a course's slug."""
    return _SLUG.fullmatch(text) is not None and ".." not in text


def is_exercise_slug(text: str) -> bool:
    """Return whether a text can be an exercise's slug: ``pack/name``."""
    pack, slash, name = text.partition("/")
    return slash == "/" and is_slug(pack) and is_slug(name)
