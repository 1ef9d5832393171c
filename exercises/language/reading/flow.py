"""How a statement leaves the ones around it."""

from __future__ import annotations

from typing import Any


class Left(Exception):
    """A statement leaves a loop or a function."""


class Returned(Left):
    """``return value``."""

    def __init__(self, value: Any) -> None:
        self.value = value
        super().__init__()


class Broken(Left):
    """``break``."""


class Continued(Left):
    """``continue``."""
