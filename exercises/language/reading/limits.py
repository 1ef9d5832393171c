"""How much work lines may ask for while they are read."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from exercises.language.errors import Refused


@dataclass(frozen=True)
class Limits:
    """The bounds. Each stands an order of magnitude above what a whole transformer block needs."""

    characters: int = 100_000  # of the source
    depth: int = 100  # of nested expressions and statements
    parts: int = 100_000  # evaluated expressions and statements, loops unrolled
    turns: int = 1_000  # of one loop
    lines: int = 2_000  # steps
    items: int = 10_000  # of a list, characters of a string
    calls: int = 30  # own functions inside each other
    bits: int = 128  # of an integer
    elements: int = 2**22  # of one tensor
    elements_total: int = 2**25  # of all tensors
    size: int = 1_000  # operations of one line


class Budget:
    """What of the limits is left."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._parts = limits.parts
        self._elements = limits.elements_total

    def spend(self, line: int, parts: int = 1) -> None:
        """Take off evaluated parts.

        :raises Refused: none are left
        """
        self._parts -= parts
        if self._parts < 0:
            raise too_much(line, f"the lines ask for more than {self.limits.parts:,} operations")

    def spend_elements(self, line: int, elements: int, others: int = 0) -> None:
        """Take off elements of a tensor, and those of others, each of which may have as many.

        :raises Refused: the tensor is too large, or all tensors together are
        """
        self._elements -= elements + others
        if elements > self.limits.elements:
            raise too_large(line, self.limits)
        if self._elements < 0:
            raise too_much(line, f"all tensors together have more than {self.limits.elements_total:,} elements")


def too_much(line: int, reason: str) -> Refused:
    """Return the refusal of work without end."""
    return Refused(line, reason, "Make the loop or the network smaller.")


def too_large(line: int, limits: Limits) -> Refused:
    """Return the refusal of a large tensor."""
    return Refused(line, f"a tensor has more than {limits.elements:,} elements", "Choose smaller shapes in given.")


def parsed(source: str, limits: Limits) -> ast.Module:
    """Return the tree of a source that is not too long and not too deep.

    :raises Refused: it is, or is no Python
    """
    if len(source) > limits.characters:
        raise Refused(1, f"the lines have more than {limits.characters:,} characters", "Paste one forward pass alone.")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise Refused(error.lineno or 1, f"this is no Python: {error.msg}", "Write it as Python has it.") from None
    except (RecursionError, MemoryError, ValueError):
        raise Refused(1, "the lines are nested too deeply", "Give parts of the expression names.") from None
    _check_depth(tree, limits)
    return tree


def _check_depth(tree: ast.Module, limits: Limits) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(2 * limits.depth):  # an ast has some two levels for one of the text
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    line = next((node.lineno for node in level if hasattr(node, "lineno")), 1)
    raise Refused(line, "the line is nested too deeply", "Give parts of the expression names.")
