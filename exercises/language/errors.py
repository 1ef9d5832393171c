"""What is refused."""

from __future__ import annotations


class Refused(ValueError):
    """Lines that the language does not hold.

    ``line`` counts from 1. ``reason`` says what is wrong, ``advice`` what to write instead.
    """

    part = ""

    def __init__(self, line: int, reason: str, advice: str) -> None:
        self.line, self.reason = line, reason
        self.advice = advice if advice.endswith((".", "?")) else f"{advice}."
        super().__init__(f"{self.part}line {line}: {reason}. {self.advice}")


class GivenRefused(Refused):
    """A line of what is given that is refused; ``line`` counts from its first line."""

    part = "given, "
