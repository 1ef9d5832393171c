"""What a notebook has around a derivation and what means nothing here: plots, and the backward pass of the lecture.

There is nobody to look, and the forward tensors have no graph. A right derivation should not fail for either, so
importing a plotting library gives a stand-in that takes every call, and `backward()` and `retain_grad()` of a
tensor without a graph do nothing.
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

_SHOWS: Final = frozenset("matplotlib seaborn plotly bokeh altair graphviz torchviz IPython".split())


def install() -> None:
    """For all children of this process."""
    sys.meta_path.insert(0, _Finder())
    for name in ("backward", "retain_grad"):
        setattr(torch.Tensor, name, _only_with_a_graph(getattr(torch.Tensor, name)))


def _only_with_a_graph(method: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(method)
    def on_tensor(tensor: torch.Tensor, *arguments: Any, **named: Any) -> None:
        if tensor.requires_grad:
            method(tensor, *arguments, **named)

    return on_tensor


class Picture(types.ModuleType):
    """A module, a figure, an axis: whatever is asked of it is another one."""

    def __getattr__(self, name: str) -> Picture:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: object, **named: object) -> Picture:
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
    """Finds and makes the modules that show things."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in _SHOWS else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return Picture(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """It is empty."""
