"""What surrounds a derivation in a notebook and has no use here: plots, and the lecture's own backward pass.

Nobody sees a plot, and the forward tensors have no graph. A right derivation should not fail for either. So importing a
plotting library gives a stand-in that accepts every call, and ``backward()`` and ``retain_grad()`` of a tensor without
a graph do nothing.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any, Final

import torch

_PLOTTING: Final = frozenset("matplotlib seaborn plotly bokeh altair graphviz torchviz IPython".split())


def install() -> None:
    """Install both for this process and all its children."""
    sys.meta_path.insert(0, _Finder())
    for name in ("backward", "retain_grad"):
        setattr(torch.Tensor, name, _only_with_graph(getattr(torch.Tensor, name)))


def _only_with_graph(method: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(method)
    def on_tensor(tensor: torch.Tensor, *arguments: Any, **named: Any) -> None:
        if tensor.requires_grad:
            method(tensor, *arguments, **named)

    return on_tensor


class Picture(types.ModuleType):
    """A stand-in for a module, a figure or an axis: every attribute, call and item of it is itself."""

    def __getattr__(self, name: str) -> Picture:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: object, **named: object) -> Picture:
        """Accept any call, and do nothing."""
        return self

    def __getitem__(self, key: object) -> Picture:
        return self

    def __iter__(self) -> Iterator[Picture]:
        return iter((self, self))  # figure, axes = plt.subplots()

    def __enter__(self) -> Picture:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


class _Finder(MetaPathFinder, Loader):
    """Find and make the stand-ins for plotting libraries."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for a plotting library, or None for any other module."""
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in _PLOTTING else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Make the stand-in."""
        return Picture(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Do nothing: the module is empty."""
