"""Backprop Dojo in a notebook: see dojo.notebook. The command is dojo.cli."""

from __future__ import annotations

from typing import Any

from dojo.errors import DojoError
from dojo.exchange import VERSION as __version__
from dojo.notebook import Exercise, open_folder, pull

__all__ = ["DojoError", "Exercise", "__version__", "load_ipython_extension", "open_folder", "pull"]


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext dojo` calls."""
    from dojo.magics import load

    load(shell)
