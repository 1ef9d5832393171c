"""Addresses of servers, and the parts of a path that name a course or an exercise."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from dojo.errors import BadFile
from dojo.text import printable

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*")
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def server_address(text: str) -> str:
    """Return the full address: ``dojo.example.org/`` → ``https://dojo.example.org``.

    Without a scheme it is http on this machine and https elsewhere.

    :raises BadFile: the text is no address of a server
    """
    text = text.strip()
    if "://" not in text:
        host = urlsplit(f"//{text}").hostname or ""
        text = f"{'http' if host in _LOCAL_HOSTS else 'https'}://{text}"
    parts = urlsplit(text)
    try:
        is_bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:  # the port is no number
        is_bad = True
    if is_bad or parts.username or parts.password:
        raise BadFile(f"“{printable(text)}” is no server's address.", "Type it like this: https://dojo.example.org")
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, "", ""))


def is_unencrypted(address: str) -> bool:
    """Return whether others on the network can read a token that is sent to this address."""
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _LOCAL_HOSTS


def course_path(course: str) -> str:
    """Return the path of a course: ``courses/autumn``.

    :raises BadFile: the text cannot be a course's slug
    """
    if not _SLUG.fullmatch(course) or ".." in course:
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
    """Return an exercise's slug, ``topic/name``, which becomes part of paths and of folder names.

    :raises BadFile: the text is no such slug
    """
    parts = slug.split("/")
    if len(parts) != 2 or not all(_SLUG.fullmatch(part) and ".." not in part for part in parts):
        raise BadFile(f"“{printable(slug)}” is no exercise.", "See which there are: dojo list")
    return slug
