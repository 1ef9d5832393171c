"""Backprop Dojo in a notebook: see ``dojo.notebook``. The command is in ``dojo.cli``.

What a notebook uses is imported when it is first named: the server reads notebooks with a part of this package, and
needs nothing of the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dojo.api.http import VERSION as __version__
    from dojo.errors import DojoError
    from dojo.notebook import NotebookExercise, exercise, login, open_folder, pull

__all__ = [
    "DojoError",
    "NotebookExercise",
    "__version__",
    "exercise",
    "load_ipython_extension",
    "login",
    "open_folder",
    "pull",
]
_PLACES = {"__version__": ("dojo.api.http", "VERSION"), "DojoError": ("dojo.errors", "DojoError")}


def load_ipython_extension(shell: Any) -> None:
    """Register ``%dojo``: ``%load_ext dojo`` calls this."""
    from dojo.magics import load

    load(shell)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES.get(name, ("dojo.notebook", name))
    return getattr(import_module(module), attribute)
