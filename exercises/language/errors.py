"""What is refused."""

from __future__ import annotations


class Refused(ValueError):
    """Lines that the language does not hold.

    ``line`` counts from 1. ``reason`` says what is wrong, ``advice`` what to write instead.
    """

    def __init__(self, line: int, reason: str, advice: str) -> None:
        self.line, self.reason, self.advice = line, reason, advice
        super().__init__(f"line {line}: {reason}. {advice}")
