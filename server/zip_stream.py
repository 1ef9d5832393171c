"""A zip archive as it is written, in pieces that a response sends on."""

from __future__ import annotations

import io


class ZipStream(io.RawIOBase):
    """Takes what ``zipfile.ZipFile`` writes, until it is taken away. It cannot seek, so sizes follow their files."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: object) -> int:
        """Take a piece."""
        content = bytes(data)  # type: ignore[call-overload]
        self._bytes += content
        return len(content)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        content = bytes(self._bytes)
        self._bytes.clear()
        return content
