"""The error of a pack. It stands apart from the rest so that a command can catch it without importing torch."""

from __future__ import annotations


class PackError(RuntimeError):
    """A pack of exercises that cannot be used; the message says what to change."""
