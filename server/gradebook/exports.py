"""What the exports of the gradebook share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from server.gradebook.gradebook import Gradebook

NUMBER_IN_BRACKETS: Final = re.compile(r"\s*\((\d+)\)\s*$")  # at the end of a title, Canvas takes it for an id


@dataclass(frozen=True)
class Export:
    """A file to import elsewhere, and what its reader must know about it, as sentences."""

    text: str
    notes: tuple[str, ...] = ()


def titles(gradebook: Gradebook) -> list[str]:
    """Return a title for each column: that of the exercise, and its slug where the title is not enough."""
    plain = [column.title for column in gradebook.columns]
    return [
        title if plain.count(title) == 1 and not NUMBER_IN_BRACKETS.search(title) else f"{title} [{column.exercise}]"
        for title, column in zip(plain, gradebook.columns, strict=True)
    ]
