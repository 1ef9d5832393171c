"""Words in the sentences that authors read."""

from __future__ import annotations

from collections.abc import Sequence


def listed(words: Sequence[str], most: int | None = None) -> str:
    """Return one word or more in a row: ``a, b and c``.

    Of more than ``most``, the first ones and how many others there are. None: all of them, however many.
    """
    if most is not None and len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} others"]
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
