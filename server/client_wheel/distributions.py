"""The client's wheel and its source archive, built from the sources beside the server's.

Both are built once in each process, at the first request: from a checkout and in an image alike, and never older than
the server. The builder is the build backend of ``client/pyproject.toml``, which writes nothing into the sources.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock

from flit_core.sdist import SdistBuilder  # type: ignore[import-untyped]
from flit_core.wheel import make_wheel_in  # type: ignore[import-untyped]

CLIENT_SOURCES = Path(__file__).parents[2] / "client"


@dataclass(frozen=True)
class Distributions:
    """The client, to install. Installers read the version and the platform in ``wheel_name``."""

    wheel_name: str
    wheel: bytes
    archive: bytes


class ClientSources:
    """The client whose sources are in a folder."""

    def __init__(self, folder: Path = CLIENT_SOURCES) -> None:
        self._pyproject = folder / "pyproject.toml"
        self._lock = Lock()

    def build(self) -> Distributions | None:
        """Return the client, or None if its sources are not here. Thread-safe; only the first call builds."""
        with self._lock:
            return self._distributions

    @cached_property
    def _distributions(self) -> Distributions | None:
        if not self._pyproject.is_file():
            return None
        with tempfile.TemporaryDirectory() as folder:
            wheel = make_wheel_in(self._pyproject, Path(folder)).file
            archive = SdistBuilder.from_ini_path(self._pyproject).build(Path(folder))
            return Distributions(wheel.name, wheel.read_bytes(), archive.read_bytes())
