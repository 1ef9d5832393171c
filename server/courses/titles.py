"""Titles and slugs of courses, checked alike on both databases."""

from __future__ import annotations

import re
from typing import Final

from server.http.problems import Unprocessable
from server.http.text import is_invisible, one_line

COURSE_SLUG: Final = r"^[a-z0-9][a-z0-9-]*$"
COURSE_SLUG_LENGTH_MAX: Final = 64
TITLE_LENGTH_MAX: Final = 200


class BadTitle(Unprocessable):
    """A title that cannot be shown in a list."""

    title, slug = "Not a title", "bad-title"


class BadSlug(Unprocessable):
    """A slug that cannot stand in an address."""

    title, slug = "Not a slug", "bad-slug"


def clean_title(title: str) -> str:
    """Return a title in one line, composed (NFC).

    :raises BadTitle: it is empty, too long, or holds invisible characters
    """
    title = one_line(title)
    if not 1 <= len(title) <= TITLE_LENGTH_MAX:
        raise BadTitle(f"A title has 1 to {TITLE_LENGTH_MAX} characters; this one has {len(title)}. Choose another.")
    if any(map(is_invisible, title)):
        raise BadTitle("The title holds control characters or other invisible ones. Send it without them.")
    return title


def checked_slug(slug: str) -> str:
    """Return a slug.

    :raises BadSlug: it is too long, or holds other than small letters, digits and hyphens
    """
    if not 1 <= len(slug) <= COURSE_SLUG_LENGTH_MAX or not re.fullmatch(COURSE_SLUG, slug):
        raise BadSlug(
            f"A slug has small letters, digits and hyphens, at most {COURSE_SLUG_LENGTH_MAX}, such as backprop-2026. "
            "Choose another."
        )
    return slug
