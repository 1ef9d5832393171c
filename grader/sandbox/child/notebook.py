"""What surrounds a derivation in a notebook and has no use here: plots, and the lecture's own backward pass.

Nobody sees a plot or a progress bar, the forward tensors have no graph, and there is no compiler. A right derivation
should not fail for any of them. So importing a plotting library gives a stand-in that accepts every call, ``tqdm``
gives its items, ``torch.compile`` gives the function itself, and ``backward()`` and ``retain_grad()`` of a tensor
without a graph do nothing.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any, Final

import torch

PLOTTING: Final = frozenset("matplotlib seaborn plotly bokeh altair graphviz torchviz IPython".split())
PROGRESS: Final = "tqdm"


def install() -> None:
    """Install all of it for this process and all its children."""
    setattr(torch, "compile", _uncompiled)  # noqa: B010  (mypy refuses the plain assignment)
    sys.meta_path.insert(0, _Finder())
    for name in ("backward", "retain_grad"):
        setattr(torch.Tensor, name, _only_with_graph(getattr(torch.Tensor, name)))


def _only_with_graph(method: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(method)
    def on_tensor(tensor: torch.Tensor, *arguments: Any, **named: Any) -> None:
        if tensor.requires_grad:
            method(tensor, *arguments, **named)

    return on_tensor


def _uncompiled(model: Any = None, **options: object) -> Any:
    """Return a function as it is, in place of ``torch.compile``; also where that is a decorator with options."""
    return (lambda function: function) if model is None else model


class ProgressBar:
    """A stand-in for ``tqdm``: its items, and every other call does nothing."""

    def __init__(self, iterable: Iterable[Any] = (), *arguments: object, **named: object) -> None:
        self._iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterable)

    def __len__(self) -> int:
        return len(self._iterable)  # type: ignore[arg-type]

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *arguments, **named: None

    @staticmethod
    def write(text: object = "", *arguments: object, **named: object) -> None:
        """Print a line, as the real one does above its bar."""
        print(text)


def _bar_over_range(*bounds: int, **named: object) -> ProgressBar:
    return ProgressBar(range(*bounds))


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
    """Find and make the stand-ins for plotting libraries and progress bars."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for a plotting library or a progress bar, or None for any other module."""
        root = name.partition(".")[0]
        return ModuleSpec(name, self, is_package=True) if root in PLOTTING or root == PROGRESS else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """Make the stand-in."""
        if spec.name.partition(".")[0] != PROGRESS:
            return Picture(spec.name)
        module = types.ModuleType(spec.name)
        module.__dict__.update(tqdm=ProgressBar, trange=_bar_over_range, tqdm_notebook=ProgressBar)
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Do nothing: the module is empty."""
