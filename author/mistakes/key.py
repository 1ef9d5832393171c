"""The lines of an answer key, and their values on an instance.

A line sets the gradient of one name. It may take several statements, such as zeros and a write into them.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, Protocol

import torch
import torch.nn.functional as functional
from torch import Tensor

from exercises.errors import PackError


class Line(Protocol):
    """A line of a key, written by ``author.derive`` or by an author."""

    @property
    def name(self) -> str:
        """The name whose gradient is set: "counts"."""

    @property
    def answer(self) -> str:
        """The student's variable: "dcounts"."""

    @property
    def code(self) -> str:
        """The statements that set it."""


@dataclass(frozen=True)
class WrittenLine:
    """A line of a key that a person wrote."""

    name: str
    code: str

    @property
    def answer(self) -> str:
        """The student's variable."""
        return "d" + self.name


def read(source: str, names: Container[str]) -> tuple[WrittenLine, ...]:
    """Split a solution into lines. ``names`` are those that have a gradient.

    A statement that sets a helper belongs to the next line.

    :raises PackError: the solution is no Python
    """
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise PackError(f"The solution is no Python: line {error.lineno}: {error.msg}. Mend that line.") from None
    lines: list[WrittenLine] = []
    waiting: list[str] = []
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        text = ast.unparse(statement)
        name = _target(statement).removeprefix("d")
        if name not in names or not _target(statement).startswith("d"):
            waiting.append(text)
        elif not waiting and lines and lines[-1].name == name:
            lines[-1] = WrittenLine(name, f"{lines[-1].code}\n{text}")
        else:
            lines.append(WrittenLine(name, "\n".join([*waiting, text])))
            waiting = []
    return tuple(lines)


def _target(statement: ast.stmt) -> str:
    """Return the name that a statement sets or writes into: the last one of a loop's body."""
    match statement:
        case ast.For(body=[*_, last]) | ast.With(body=[*_, last]):
            return _target(last)
        case ast.Assign([target]) | ast.AugAssign(target) | ast.AnnAssign(target):
            while isinstance(target, ast.Subscript | ast.Attribute):
                target = target.value
            return target.id if isinstance(target, ast.Name) else ""
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), method))) if method.endswith("_"):
            return name
    return ""


class KeyRun:
    """A key that ran on an instance: the variables before each line, so that a line can be run again with a mistake.

    Only code of our own rules runs here, in this process; see ``author.prove.solution`` for a stranger's.

    :param variables: the forward state as code gets it
    """

    def __init__(self, lines: Sequence[Line], variables: Mapping[str, Any]) -> None:
        self.lines = tuple(lines)
        self._given = {"torch": torch, "F": functional, **variables}
        self._compiled = [compiled(line.code) for line in lines]
        self._before: list[dict[str, Any]] = []
        made: dict[str, Any] = {}
        for code in self._compiled:
            self._before.append(made)
            made = self._run([code], made)
        self.made = made

    def answers(self, names: Iterable[str]) -> dict[str, Tensor]:
        """Return name → gradient that the key gives, for those names that it sets."""
        return gradients(self.made, names)

    def before(self, number: int) -> Mapping[str, Any]:
        """Return the variables that the lines before a line made."""
        return self._before[number]

    def value(self, number: int, code: CodeType) -> Any:
        """Return what other code gives for the answer of a line."""
        return self._run([code], self._before[number]).get(self.lines[number].answer)

    def with_code(self, number: int, code: CodeType) -> dict[str, Any]:
        """Return all variables of the key with other code in place of a line; the lines below run again."""
        return self._run([code, *self._compiled[number + 1 :]], self._before[number])

    def _run(self, codes: Iterable[CodeType], made: Mapping[str, Any]) -> dict[str, Any]:
        # Copies: a mistake may write into what it should only read, and the next one starts from the same numbers.
        namespace = self._given | {
            name: value.clone() if isinstance(value, Tensor) else value for name, value in made.items()
        }
        for code in codes:
            exec(code, namespace)  # lines of our own rules
        return {
            name: value
            for name, value in namespace.items()
            if name != "__builtins__" and self._given.get(name) is not value
        }


def gradients(variables: Mapping[str, Any], names: Iterable[str]) -> dict[str, Tensor]:
    """Return name → tensor, for those names whose gradient is among the variables."""
    found = {name: variables.get("d" + name) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}


def compiled(code: str) -> CodeType:
    """Return code, ready to run."""
    return compile(code, "key", "exec")
