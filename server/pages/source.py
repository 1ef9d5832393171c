"""Code as a page shows it: highlighted, a line each, with a mark in the gutter at the step that a line sets."""

from __future__ import annotations

import io
import keyword
import re
import sys
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from grader.caches.byte_cache import ByteCache

BYTES_OF_LINE: Final = 300  # of its object
KEPT_BYTES_MAX: Final = 32 * 1024 * 1024  # of 64 KiB of code, somebody can make 3 MB of HTML
LINE_BREAK: Final = re.compile(r"\r\n?|\n")  # those of Python; str.splitlines knows more
ASSIGNED: Final = re.compile(r"([\w\s,.()\[\]:*+-]*?)(?:\*\*|//|[-+*/@])?=(?!=)")
IN_PLACE: Final = re.compile(r"\s*d([^\W\d]\w*)\.\w+_\(")  # dC.index_add_(…)
ANSWER: Final = re.compile(r"(?:^|,)[\s(]*d([^\W\d]\w*)")
NAMED_SETTERS: Final = ("=", "[", "+=", "-=", "*=", "/=")
# Characters that turn the direction of writing around would show code other than it runs (CVE-2021-42574).
HIDDEN: Final = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class CodeLine:
    """A line of code: ``content`` is HTML, ``step`` the step that it sets or None."""

    number: int
    content: Markup
    step: str | None


def lines_of(source: str, steps: frozenset[str] = frozenset()) -> tuple[CodeLine, ...]:
    """Return the lines of a source. ``steps`` are the names whose ``d…`` variables are answers."""
    return KEPT.get((source, steps), lambda: _lines(source, steps))


def bytes_of(lines: Sequence[CodeLine]) -> int:
    """Return what the lines of a source take of memory, with the source."""
    return sum(2 * sys.getsizeof(line.content) + BYTES_OF_LINE for line in lines)


KEPT: Final = ByteCache[tuple[str, frozenset[str]], tuple[CodeLine, ...]](KEPT_BYTES_MAX, bytes_of)


def _lines(source: str, steps: frozenset[str]) -> tuple[CodeLine, ...]:
    written = LINE_BREAK.split(source)
    if written and not written[-1]:
        written.pop()
    spans = _spans(written, steps)
    setters = {line: step for step, line in setting_lines(source, steps).items()}
    return tuple(
        CodeLine(number, _content(text, spans.get(number, ())), setters.get(number))
        for number, text in enumerate(written, 1)
    )


def setting_lines(source: str, steps: Collection[str]) -> dict[str, int]:
    """Return step → the number of the last line that sets its variable.

    It reads line by line, so that code which cannot be parsed has its marks too. The editor's script has the same rule
    (``server/pages/assets/js/workbench.js``).
    """
    found: dict[str, int] = {}
    for number, line in enumerate(LINE_BREAK.split(source), 1):
        for name in _targets(line):
            if name in steps:
                found[name] = number
    return found


def inline(code: str) -> Markup:
    """Return one line of code, highlighted."""
    lines = lines_of(code)
    return lines[0].content if lines else Markup()


def _targets(line: str) -> Iterator[str]:
    """Yield the names after ``d`` of what a line assigns to, or changes in place."""
    for statement in line.split("#")[0].split(";"):
        if in_place := IN_PLACE.match(statement):
            yield in_place.group(1)
        rest = statement
        while assigned := ASSIGNED.match(rest):
            left = _without_indices(assigned.group(1))
            if left.count("(") == left.count(")"):
                yield from ANSWER.findall(left)
            rest = rest[assigned.end() :]


def _without_indices(target: str) -> str:
    """Return what is assigned to without what stands in brackets: each ``[`` ends at the next ``]``.

    The pattern ``\\[[^\\]]*\\]`` says the same, and takes 17 s for 64 KiB of ``[``: it looks for each end anew.
    """
    kept, at = [], 0
    while (begin := target.find("[", at)) >= 0 and (end := target.find("]", begin)) >= 0:
        kept.append(target[at:begin])
        at = end + 1
    return "".join([*kept, target[at:]])


def _content(text: str, spans: Sequence[tuple[int, int, str]]) -> Markup:
    parts, at = [], 0
    for start, end, kind in spans:
        parts += [_visible(text[at:start]), Markup('<span class="{}">').format(kind), _visible(text[start:end])]
        parts.append(Markup("</span>"))
        at = end
    parts.append(_visible(text[at:]))
    return Markup().join(parts)


def _visible(text: str) -> Markup:
    """Return text as HTML; a character that nobody sees shows as its number."""
    return Markup(HIDDEN.sub(lambda match: f"\\u{ord(match.group()):04x}", str(escape(text))))


def _spans(lines: Sequence[str], steps: Collection[str]) -> Mapping[int, list[tuple[int, int, str]]]:
    """Return line number → (start, end, class) of what is coloured there. What cannot be read is left plain."""
    spans: dict[int, list[tuple[int, int, str]]] = {}
    tokens = []
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            tokens.append(token)
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # what came before the fault is coloured
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        kind = _kind(token, following.string if following else "", steps)
        if kind is None:
            continue
        (first, start), (last, end) = token.start, token.end
        for number in range(first, last + 1):
            length = len(lines[number - 1]) if number <= len(lines) else 0
            spans.setdefault(number, []).append(
                (start if number == first else 0, end if number == last else length, kind)
            )
    return spans


def _kind(token: tokenize.TokenInfo, following: str, steps: Collection[str]) -> str | None:
    """Return the class of a token: comment, number, string, keyword, call, or the answer of a step."""
    if token.type == tokenize.COMMENT:
        return "c"
    if token.type == tokenize.NUMBER:
        return "m"
    if token.type == tokenize.STRING or tokenize.tok_name[token.type].startswith("FSTRING"):
        return "s"
    if token.type != tokenize.NAME:
        return None
    if keyword.iskeyword(token.string):
        return "k"
    if token.string[:1] == "d" and token.string[1:] in steps and following in NAMED_SETTERS:
        return "d"
    return "f" if following == "(" else None
