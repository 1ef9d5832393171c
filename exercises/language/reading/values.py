"""What a name can stand for while lines are read. Numbers, strings, lists and dicts are Python's own."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from exercises.language.expression import Call, Expression, Name, Part

if TYPE_CHECKING:
    from exercises.language.reading.scope import Scope


@dataclass(frozen=True, eq=False)
class Traced:
    """A tensor: what makes it, and its value on sample numbers.

    ``size`` counts the operations of the expression. ``hint`` is the name that it gets if another operation reads it
    before a line names it. ``copied`` says that ``contiguous()`` was called: steps leave that out, so that a
    ``view`` of it is a ``reshape``.
    """

    expression: Expression
    value: Tensor
    size: int = 1
    hint: str | None = None
    copied: bool = False

    @property
    def is_named(self) -> bool:
        """Whether the tensor has a name already."""
        return isinstance(self.expression, Name)


@dataclass(frozen=True, eq=False)
class Results:
    """Several results of one call, before one of them is taken."""

    call: Call
    values: tuple[Any, ...]
    size: int = 1

    def part(self, index: int) -> Traced:
        """Return one of the results."""
        index = range(len(self.values))[index]
        return Traced(Part(self.call, index), self.values[index], self.size)

    def parts(self) -> tuple[Traced, ...]:
        """Return all results."""
        return tuple(self.part(index) for index in range(len(self.values)))


@dataclass(frozen=True)
class Library:
    """A function, module or type that a path names, such as ``torch.tanh`` or ``F``."""

    path: str


@dataclass(frozen=True)
class Namespace:
    """A name such as ``self`` or ``args`` that nobody set: its attributes are what is given."""

    name: str


@dataclass(frozen=True)
class Stale:
    """A name whose tensor another name changed in place at ``line``."""

    line: int


@dataclass(frozen=True, eq=False)
class Function:
    """A function or lambda of the lines. ``receiver`` is the object of a method, ``owner`` the class that has it."""

    name: str
    node: ast.FunctionDef | ast.Lambda
    scope: Scope
    defaults: tuple[Any, ...] = ()
    keyword_defaults: tuple[Any, ...] = ()
    no_grad: bool = False
    receiver: Any = None
    owner: Class | None = None


@dataclass(frozen=True, eq=False)
class Method:
    """A method of a tensor, a list, a dict or a string, before it is called."""

    receiver: Any
    name: str
    node: ast.expr  # the receiver as it is written


@dataclass(eq=False)
class Class:
    """A class of the lines, or a layer of ``torch.nn``."""

    name: str
    attributes: dict[str, Any]
    bases: tuple[Any, ...] = ()
    fields: tuple[str, ...] = ()  # of a dataclass, in order

    def find(self, name: str) -> Any:
        """Return an attribute of the class or of its bases; None without one."""
        if name in self.attributes:
            return self.attributes[name]
        return next(
            (found for base in self.bases if isinstance(base, Class) and (found := base.find(name)) is not None), None
        )

    def is_module(self) -> bool:
        """Whether the class is a ``torch.nn.Module``."""
        return any(
            base.is_module() if isinstance(base, Class) else base in (Library("nn.Module"), Library("torch.nn.Module"))
            for base in self.bases
        )


@dataclass(eq=False)
class Instance:
    """An object of a class. ``path`` is its name among the attributes of the object that holds it."""

    kind: Class
    attributes: dict[str, Any] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True, eq=False)
class Property:
    """A method of a class that is read without being called."""

    function: Function


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter of a model that is being made. It gets its name when the whole model is there."""

    sample: Tensor
