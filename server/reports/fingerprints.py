"""Fingerprints of source code: winnowed hashes of runs of tokens, as MOSS takes them.

Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting" (SIGMOD 2003): of every
``WINDOW`` neighbouring hashes the smallest is kept, so each common run of at least ``WINDOW + RUN - 1`` tokens leaves a
common fingerprint. Names, numbers and texts are all alike here, blanks and comments do not count: code that was
renamed or laid out anew keeps its fingerprints.
"""

from __future__ import annotations

import keyword
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

RUN: Final = 12  # tokens of a hash
WINDOW: Final = 6
TOKEN: Final = re.compile(
    r"""
    (?P<skipped>\#[^\n]*|\\\n|[^\S\n]+)
    |(?P<newline>\n)
    |(?P<text>[rbfuRBFU]{0,2}(?:'''(?s:.*?)'''|\"\"\"(?s:.*?)\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
    |(?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d]\w*)
    |(?P<operator>\*\*=?|//=?|<<=?|>>=?|[-+*/%@&|^=!<>:]=|->|.)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A token as it counts, and its line, from 1."""

    text: str
    line: int


def tokens_of(source: str) -> list[Token]:
    """Return the tokens of Python code; what is none counts by its characters, so that no code is refused."""
    tokens = []
    line = 1
    for match in TOKEN.finditer(source):
        kind, text = match.lastgroup, match.group()
        if kind == "name":
            tokens.append(Token(text if keyword.iskeyword(text) else "N", line))
        elif kind in ("number", "text"):
            tokens.append(Token("0" if kind == "number" else "S", line))
        elif kind == "operator":
            tokens.append(Token(text, line))
        line += text.count("\n")
    return tokens


@lru_cache(maxsize=4096)  # sources do not change, and a report is read again and again
def fingerprints_of(source: str) -> Mapping[int, tuple[int, int]]:
    """Return the fingerprints of some code, each with its first and last line, where it stands first."""
    tokens = tokens_of(source)
    hashes = [
        zlib.crc32("\0".join(token.text for token in tokens[start : start + RUN]).encode())
        for start in range(len(tokens) - RUN + 1)
    ]
    chosen: dict[int, tuple[int, int]] = {}
    for start in range(max(len(hashes) - WINDOW + 1, min(len(hashes), 1))):
        window = hashes[start : start + WINDOW]
        smallest = min(window)
        place = start + len(window) - 1 - window[::-1].index(smallest)  # the rightmost, as winnowing has it
        chosen.setdefault(smallest, (tokens[place].line, tokens[place + RUN - 1].line))
    return MappingProxyType(chosen)
