"""The members of a JSON object that a server sent, each checked to be what the API promises.

Names and words that stand in a line or in a path are checked to be such. Numbers and texts have bounds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from dojo.api.addresses import is_exercise_slug, is_slug
from dojo.errors import NotADojo

T = TypeVar("T")

_WORD = re.compile(r"[a-z_]{1,40}")
NAME_CHARACTERS_MAX = 100
LINE_CHARACTERS_MAX = 300
SECONDS_MAX = 10**6


def refuse(key: str) -> NotADojo:
    """Return the error for a member that is absent, or is not what the API promises."""
    return NotADojo(
        f"The server's answer has no usable “{key}”. It may be no Backprop Dojo server.",
        "Check the address (dojo profile), and whether your dojo is up to date.",
    )


def required(body: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """Return a required member of a JSON object.

    :raises NotADojo: the member is absent or of another type
    """
    value = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise refuse(key)
    return value


def required_slug(body: Mapping[str, Any], key: str = "slug") -> str:
    """Return the slug of a course.

    :raises NotADojo: the member is no slug
    """
    slug = required(body, key, str)
    if not is_slug(slug):
        raise refuse(key)
    return slug


def one_line(text: str) -> str:
    """Return a text in one line that is not too long for a message."""
    return " ".join(text.split())[:LINE_CHARACTERS_MAX]


def optional(body: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    """Return a member of a JSON object, or None if it is absent.

    :raises NotADojo: it is of another type
    """
    is_absent = isinstance(body, Mapping) and body.get(key) is None
    return None if is_absent else required(body, key, kind)


def read_count(body: Mapping[str, Any], key: str) -> int | None:
    """Return a count, or None if it is absent.

    :raises NotADojo: it is something else
    """
    count = optional(body, key, int)
    if count is not None and count < 0:
        raise refuse(key)
    return count


def read_number(body: Mapping[str, Any], key: str) -> float | None:
    """Return a number, or None if it is absent.

    :raises NotADojo: it is something else
    """
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise refuse(key)
    return float(value)


def read_seconds(body: Mapping[str, Any], key: str) -> float | None:
    """Return a time in a video in seconds, or None if it is absent.

    :raises NotADojo: it is something else
    """
    seconds = read_number(body, key)
    if seconds is not None and not 0 <= seconds <= SECONDS_MAX:
        raise refuse(key)
    return seconds


def read_strings(body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of texts, or an empty one if it is absent.

    :raises NotADojo: it is something else
    """
    values = optional(body, key, list) or []
    if not all(isinstance(value, str) for value in values):
        raise refuse(key)
    return tuple(values)


def read_objects(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of JSON objects, or an empty one if it is absent.

    :raises NotADojo: it is something else
    """
    values = optional(body, key, list) or []
    if not all(isinstance(value, dict) for value in values):
        raise refuse(key)
    return values


def required_objects(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a required list of JSON objects.

    :raises NotADojo: the member is absent, or something else
    """
    required(body, key, list)
    return read_objects(body, key)


def read_word(body: Mapping[str, Any], key: str) -> str | None:
    """Return a word of small letters, or None if it is absent.

    :raises NotADojo: it is something else
    """
    word = optional(body, key, str)
    if word is not None and not _WORD.fullmatch(word):
        raise refuse(key)
    return word


def read_line(body: Mapping[str, Any], key: str) -> str:
    """Return a text in one line, or an empty one if it is absent.

    :raises NotADojo: it is no text
    """
    return one_line(optional(body, key, str) or "")


def required_exercise_slug(body: Mapping[str, Any], key: str) -> str:
    """Return the slug of an exercise.

    :raises NotADojo: the member is no slug
    """
    slug = required(body, key, str)
    if not is_exercise_slug(slug):
        raise refuse(key)
    return slug


def required_name(body: Mapping[str, Any]) -> str:
    """Return the name of a step, which stands in a line and is typed.

    :raises NotADojo: it is absent, too long, or no single word
    """
    name = required(body, "name", str)
    if not 0 < len(name) <= NAME_CHARACTERS_MAX or len(name.split()) != 1:
        raise refuse("name")
    return name
