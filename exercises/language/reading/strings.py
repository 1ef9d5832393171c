"""Strings that are put together, such as the key ``f"layer_{i}"``."""

from __future__ import annotations

import ast
import re

from exercises.language.reading.plain import TooMuch
from exercises.language.reading.scope import Scope
from exercises.language.reading.session import Session, holds_traced

_SPECIFICATION = re.compile(r"[<>^+]?0?\d{0,2}(\.\d{1,2})?[dfegs%]?,?")


def formatted(session: Session, node: ast.JoinedStr, scope: Scope) -> str:
    """Return the text of an f-string. A tensor in it is three dots: its numbers depend on the seed.

    :raises TooMuch: it is too long
    """
    parts = []
    for each in node.values:
        if isinstance(each, ast.Constant):
            parts.append(str(each.value))
        elif isinstance(each, ast.FormattedValue):
            value = session.evaluate(each.value, scope)
            parts.append("…" if holds_traced(value) else _one(session, each, value, scope))
    text = "".join(parts)
    if len(text) > session.limits.items:
        raise TooMuch(f"a string has more than {session.limits.items:,} characters")
    return text


def _one(session: Session, node: ast.FormattedValue, value: object, scope: Scope) -> str:
    specification = formatted(session, node.format_spec, scope) if isinstance(node.format_spec, ast.JoinedStr) else ""
    if not _SPECIFICATION.fullmatch(specification) or not isinstance(value, int | float | str | bool):
        return "…"
    return format(value, specification)
