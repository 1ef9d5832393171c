"""Backprop Dojo in a notebook: see ``dojo.notebook``. The command is in ``dojo.cli``."""

from __future__ import annotations

from typing import Any

from dojo.api.http import VERSION as __version__
from dojo.errors import DojoError
from dojo.notebook import NotebookExercise, login, open_folder, pull

__all__ = ["DojoError", "NotebookExercise", "__version__", "load_ipython_extension", "login", "open_folder", "pull"]


def load_ipython_extension(shell: Any) -> None:
    """Register ``%dojo``: ``%load_ext dojo`` calls this."""
    from dojo.magics import load

    load(shell)
