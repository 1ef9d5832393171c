"""A document whose ``console`` blocks are typed: commands after ``$``, and what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass

BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
LEFT_OUT = "…"


@dataclass(frozen=True)
class Typed:
    """A command of a document, and what the document says that it prints."""

    command: str
    printed: str


def read_console(text: str) -> list[Typed]:
    """Return the commands of a document in order. A line that ends in a backslash goes on in the next one."""
    found = []
    for block in BLOCK.findall(text):
        for part in re.split(r"^\$ ", re.sub(r"\\\n *", "", block), flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append(Typed(command, printed))
    return found


def is_as_printed(documented: str, printed: str) -> bool:
    """Whether a command printed what its document says.

    ``…`` stands for anything in its line, and alone on a line for any lines. JSON is one line, which a document breaks.
    """
    lines = documented.strip().split("\n")
    if printed.startswith("{"):
        lines = ["".join(line.strip() for line in lines)]
    patterns = [
        r"(?:.*\n)*?"
        if line == LEFT_OUT and not printed.startswith("{")
        else ".*".join(map(re.escape, line.split(LEFT_OUT))) + "\n"
        for line in lines
    ]
    return re.fullmatch("".join(patterns), printed.replace("\r\n", "\n").strip() + "\n") is not None
