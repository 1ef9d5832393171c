"""The statement of an exercise as a page shows it: the little Markdown that authors write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from markupsafe import Markup, escape

FENCE: Final = "```"
_SPAN: Final = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|(?<!\w)\*(?P<em>[^\s*]+)\*(?!\w)")


class BlockKind(StrEnum):
    """What a block of a statement is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    CODE = "code"


@dataclass(frozen=True)
class Block:
    """A block of a statement. ``lines`` are HTML: one for each item of a list, and one for anything else."""

    kind: BlockKind
    lines: tuple[Markup, ...]


def blocks(text: str) -> tuple[Block, ...]:
    """Return the blocks of a statement without its title: headings, paragraphs, lists and code between fences."""
    found: list[Block] = []
    for number, part in enumerate(re.split(rf"^{FENCE}.*\n?", text, flags=re.MULTILINE)):
        if number % 2:
            found.append(Block(BlockKind.CODE, (escape(part.rstrip("\n")),)))
        else:
            found += [_block(each.strip("\n")) for each in re.split(r"\n\s*\n", part) if each.strip()]
    if found and text.lstrip().startswith("# "):
        del found[0]
    return tuple(found)


def _block(text: str) -> Block:
    if text.startswith("#"):
        return Block(BlockKind.HEADING, (_html(text.lstrip("#")),))
    if text.startswith("- "):
        return Block(BlockKind.LIST, tuple(_html(item) for item in re.split(r"^- ", text, flags=re.MULTILINE)[1:]))
    return Block(BlockKind.PARAGRAPH, (_html(text),))


def _html(text: str) -> Markup:
    """Return the HTML of a text: code stands between backticks, strong words between two stars, a term between one."""
    pieces, end = [], 0
    plain = " ".join(text.split())
    for span in _SPAN.finditer(plain):
        tag = span.lastgroup
        pieces += [escape(plain[end : span.start()]), Markup(f"<{tag}>{{}}</{tag}>").format(span[tag or 0])]
        end = span.end()
    return Markup("").join([*pieces, escape(plain[end:])])
