"""Standard output and standard error of student code."""

from __future__ import annotations

import io
from collections.abc import Callable

from grader.sandbox.child.result_writer import ResultWriter


class Screen(io.TextIOBase):
    """Write text straight into the result, so that it survives the process."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, writer: ResultWriter, on_overflow: Callable[[], None]) -> None:
        self._writer = writer
        self._on_overflow = on_overflow

    def writable(self) -> bool:
        """Whether it can be written to: always."""
        return True

    def write(self, text: str, /) -> int:
        """Write text. What does not fit is cut, and ``on_overflow`` is called.

        :raises TypeError: if it is not text
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if not self._writer.print(text.encode("utf-8", "replace")):
            self._on_overflow()
        return len(text)
