"""The client's wheel, built from the sources beside the server's.

It is built once in each process, at the first request: from a checkout and in an image alike, and never older than the
server. The builder is the build backend of ``client/pyproject.toml``, which writes nothing into the sources.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

from flit_core.wheel import make_wheel_in  # type: ignore[import-untyped]

CLIENT_SOURCES = Path(__file__).parents[2] / "client"


@dataclass(frozen=True)
class Wheel:
    """A wheel. Installers read the version and the platform in its ``name``."""

    name: str
    content: bytes


class ClientWheel:
    """The wheel of the client whose sources are in a folder."""

    def __init__(self, sources: Path = CLIENT_SOURCES) -> None:
        self._pyproject = sources / "pyproject.toml"
        self._lock = Lock()

    def get(self) -> Wheel | None:
        """Return the wheel, or None if the sources are not here. Thread-safe; the first call builds it."""
        with self._lock:
            return self._wheel

    @cached_property
    def _wheel(self) -> Wheel | None:
        if not self._pyproject.is_file():
            return None
        with tempfile.TemporaryDirectory() as folder:
            file = make_wheel_in(self._pyproject, Path(folder)).file
            return Wheel(file.name, file.read_bytes())
